import { FILTER_PARAMETERS, parseFilters } from '../shared/customer/filters.ts';
import { CSV_PARAMETERS, CSV_TYPE, csv } from '../shared/export/csv.ts';
import { answerExport } from '../shared/export/export.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { selectedRows } from '../shared/store/export-rows.ts';

/** GET /customers/export/csv: all customers that meet the filters as a CSV file. */
export const handler = endpoint(
  async (request) => {
    request.query.allowOnly([...CSV_PARAMETERS, ...FILTER_PARAMETERS]);
    const selection = parseFilters(request.query);
    return answerExport(request, csv(request.query), (write) =>
      selectedRows(request.merchant, selection, write),
    );
  },
  { offers: ['application/json', CSV_TYPE] },
);
