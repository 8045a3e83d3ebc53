import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { api } from '../../shared/http/api.ts';
import { exportByIdsResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/csv: exports the customers with these ids as a CSV file. */
export const handler = api(request, { produces: ['application/json', CSV_TYPE] }).handler(
  (event, context) =>
    exportByIdsResponse({ name: 'csv', ...event.queryStringParameters }, event.body, context),
);
