import { FILTER_PARAMETERS, parseFilters } from '../shared/customer/filters.ts';
import { answerExport } from '../shared/export/export.ts';
import { XML_TYPE, xml } from '../shared/export/xml.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { selectedRows } from '../shared/store/export-rows.ts';

/** GET /customers/export/xml: all customers that meet the filters as an XML file. */
export const handler = endpoint(
  async (request) => {
    request.query.allowOnly(FILTER_PARAMETERS);
    const selection = parseFilters(request.query);
    return answerExport(request, xml(), (write) =>
      selectedRows(request.merchant, selection, write),
    );
  },
  { offers: ['application/json', XML_TYPE] },
);
