import { FILTER_PARAMETERS, parseFilters } from '../../shared/domain/customer-filter.ts';
import { answerSelectedExport } from '../../shared/exports/create-export.ts';
import { XML_TYPE, xml } from '../../shared/formats/xml.ts';
import { endpoint } from '../../shared/http/endpoint.ts';

/** GET /customers/export/xml: all customers that meet the filters as an XML file, or 202 where that takes long. */
export const handler = endpoint(
  async (request) => {
    request.query.allowOnly(FILTER_PARAMETERS);
    return answerSelectedExport(request, xml(), parseFilters(request.query));
  },
  { offers: ['application/json', XML_TYPE] },
);
