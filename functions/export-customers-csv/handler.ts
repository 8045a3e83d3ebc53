import { FILTER_PARAMETERS, parseFilters } from '../../shared/domain/customer-filter.ts';
import { answerSelectedExport } from '../../shared/exports/create-export.ts';
import { CSV_PARAMETERS, CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { endpoint } from '../../shared/http/endpoint.ts';

/** GET /customers/export/csv: all customers that meet the filters as a CSV file, or 202 where that takes long. */
export const handler = endpoint(
  async (request) => {
    request.query.allowOnly([...CSV_PARAMETERS, ...FILTER_PARAMETERS]);
    return answerSelectedExport(request, csv(request.query), parseFilters(request.query));
  },
  { offers: ['application/json', CSV_TYPE] },
);
