import { exportByFilter } from '../../shared/exports/export-by-filter.ts';
import { CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { exportResponse, headResponse, isHead } from '../export-responses.ts';
import { request } from './contract.ts';

/** GET /customers/export/csv: exports all customers that meet the filters as a CSV file. */
export const handler = api(request, { produces: ['application/json', CSV_TYPE] }).handler(
  async (event, context) => {
    if (isHead(event)) return headResponse(context);
    const { columns, headers, delimiter, bom, formulas, ...filters } = event.queryStringParameters;
    const options = { columns, headers, delimiter, bom, formulas };
    const filter = filterOfQuery(filters);
    const remainingMs = context.getRemainingTimeInMillis();
    const result = await exportByFilter(
      context.merchantId,
      filter,
      { format: csv(options), choice: { name: 'csv', ...options } },
      remainingMs,
    );
    return exportResponse(result, CSV_TYPE, context);
  },
);
