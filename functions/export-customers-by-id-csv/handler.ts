import { exportByIds } from '../../shared/exports/create-export.ts';
import { CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { api } from '../../shared/http/api.ts';
import { fileResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/csv: exports the customers with these ids as a CSV file. */
export const handler = api(request, { produces: ['application/json', CSV_TYPE] }).handler(
  async (event, context) => {
    const file = await exportByIds(
      context.merchantId,
      event.body,
      csv(event.queryStringParameters),
    );
    return fileResponse(file, CSV_TYPE, context);
  },
);
