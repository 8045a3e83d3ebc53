import { exportByFilter } from '../../shared/exports/export-by-filter.ts';
import { XML_TYPE, xml } from '../../shared/formats/xml.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { exportResponse, headResponse, isHead } from '../export-responses.ts';
import { request } from './contract.ts';

/** GET /customers/export/xml: exports all customers that meet the filters as an XML file. */
export const handler = api(request, { produces: ['application/json', XML_TYPE] }).handler(
  async (event, context) => {
    if (isHead(event)) return headResponse(context);
    const filter = filterOfQuery(event.queryStringParameters);
    const remainingMs = context.getRemainingTimeInMillis();
    const result = await exportByFilter(
      context.merchantId,
      filter,
      { format: xml(), choice: { name: 'xml' } },
      remainingMs,
    );
    return exportResponse(result, XML_TYPE, context);
  },
);
