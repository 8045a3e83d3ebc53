import { exportByFilter } from '../../shared/exports/export-by-filter.ts';
import { JSON_LINES, JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { exportResponse, headResponse, isHead } from '../export-responses.ts';
import { request } from './contract.ts';

/** GET /customers/export/jsonl: exports all customers that meet the filters as a file of JSON Lines. */
export const handler = api(request, { produces: ['application/json', JSON_LINES_TYPE] }).handler(
  async (event, context) => {
    if (isHead(event)) return headResponse(context);
    const filter = filterOfQuery(event.queryStringParameters);
    const remainingMs = context.getRemainingTimeInMillis();
    const result = await exportByFilter(
      context.merchantId,
      filter,
      { format: JSON_LINES, choice: { name: 'jsonl' } },
      remainingMs,
    );
    return exportResponse(result, JSON_LINES_TYPE, context);
  },
);
