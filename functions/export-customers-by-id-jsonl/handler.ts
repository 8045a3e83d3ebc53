import { exportByIds } from '../../shared/exports/create-export.ts';
import { JSON_LINES, JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { api } from '../../shared/http/api.ts';
import { fileResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/jsonl: exports the customers with these ids as a file of JSON Lines. */
export const handler = api(request, { produces: ['application/json', JSON_LINES_TYPE] }).handler(
  async (event, context) => {
    const file = await exportByIds(context.merchantId, event.body, JSON_LINES);
    return fileResponse(file, JSON_LINES_TYPE, context);
  },
);
