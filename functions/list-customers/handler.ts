import { FILTER_PARAMETERS, parseFilters } from '../../shared/domain/customer-filter.ts';
import { DEFAULT_PAGE, MAX_PAGE } from '../../shared/domain/limits.ts';
import { makeCursor, readCursor } from '../../shared/http/cursor.ts';
import { endpoint, type Request } from '../../shared/http/endpoint.ts';
import { badParameter } from '../../shared/http/problem-details.ts';
import { listPage } from '../../shared/storage/list-customers.ts';

/**
 * GET /customers: the customers that meet the filters, by ascending id, a page at a time. The
 * Link header leads to the next page, where there is one.
 */
export const handler = endpoint(async (request) => {
  const { merchant, query } = request;
  query.allowOnly(['limit', 'start', 'cursor', ...FILTER_PARAMETERS]);
  const limit = query.integer('limit', { min: 1, max: MAX_PAGE }) ?? DEFAULT_PAGE;
  const start = query.integer('start', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
  const selection = parseFilters(query);
  const cursor = query.one('cursor');
  if (cursor !== undefined && query.has('start')) {
    throw badParameter('start', 'cannot be given together with cursor');
  }
  const after = cursor === undefined ? 0 : readCursor(merchant, selection, cursor);
  const { json, next } = await listPage(merchant, selection, { after, start, limit });
  return {
    headers: next ? { link: nextLink(request, makeCursor(merchant, selection, next)) } : {},
    json,
  };
});

/** Link to the next page (RFC 8288): the same query with the cursor in place of the start. */
function nextLink({ url, query }: Request, cursor: string): string {
  const parameters = new URLSearchParams();
  for (const name of ['limit', ...FILTER_PARAMETERS]) {
    for (const value of query.all(name)) parameters.append(name, value);
  }
  parameters.append('cursor', cursor);
  return `<${url}?${parameters}>; rel="next"`;
}
