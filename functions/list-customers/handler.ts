import { BY_ID } from '../../shared/domain/sort-order.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { jsonRows } from '../../shared/formats/json.ts';
import { api, jsonText } from '../../shared/http/api.ts';
import { createCursor, readCursor } from '../../shared/http/cursor.ts';
import type { HttpEvent } from '../../shared/http/event.ts';
import { filterOfQuery, filterParameters } from '../../shared/http/filter-parameters.ts';
import { queryValues } from '../../shared/http/validation.ts';
import { listCustomers } from '../../shared/storage/list-customers.ts';
import { request } from './contract.ts';

/**
 * GET /customers: returns the customers that meet the filters, in the chosen order, a page at a time.
 * The Link header names the next page, if there is one.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { limit, start, cursor, fields, sort, ...filters } = event.queryStringParameters;
  const order = sort ?? BY_ID;
  const filter = filterOfQuery(filters);
  const scope = { merchantId, filter, order };
  const after = cursor === undefined ? undefined : readCursor(scope, cursor);
  const format = jsonRows(fields);
  const page = await listCustomers(scope, { after, start, limit }, format);
  const link = page.next && nextLink(event, createCursor(scope, page.next));
  return jsonText(page.json, { headers: link ? { link } : {} });
});

/** Parameters that the next page has as well. */
const KEPT = ['limit', 'sort', 'fields', ...Object.keys(filterParameters)];

/** Returns the link to the next page (RFC 8288): the same query, with the cursor instead of start. */
function nextLink({ headers, rawPath, rawQueryString, requestContext }: HttpEvent, cursor: string) {
  const sent = queryValues(rawQueryString);
  const parameters = new URLSearchParams();
  for (const name of KEPT) {
    for (const value of sent.get(name) ?? []) parameters.append(name, value);
  }
  parameters.append('cursor', cursor);
  const scheme = headers['x-forwarded-proto'] ?? 'https';
  const host = process.env[ENVIRONMENT.publicHost] ?? headers.host ?? requestContext.domainName;
  return `<${scheme}://${host}${rawPath}?${parameters}>; rel="next"`;
}
