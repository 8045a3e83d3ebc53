import { exportByFilter } from '../../shared/exports/export-by-filter.ts';
import { XLSX_TYPE, xlsx } from '../../shared/formats/xlsx.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { exportResponse, headResponse, isHead } from '../export-responses.ts';
import { request } from './contract.ts';

/** GET /customers/export/xlsx: exports all customers that meet the filters as an XLSX file. */
export const handler = api(request, { produces: ['application/json', XLSX_TYPE] }).handler(
  async (event, context) => {
    if (isHead(event)) return headResponse(context);
    const { columns, headers, ...filters } = event.queryStringParameters;
    const options = { columns, headers };
    const filter = filterOfQuery(filters);
    const remainingMs = context.getRemainingTimeInMillis();
    const result = await exportByFilter(
      context.merchantId,
      filter,
      { format: xlsx(options), choice: { name: 'xlsx', ...options } },
      remainingMs,
    );
    return exportResponse(result, XLSX_TYPE, context);
  },
);
