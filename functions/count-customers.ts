import { FILTER_PARAMETERS, parseFilters } from '../shared/customer/filters.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { countSelected } from '../shared/store/directory.ts';

/** GET /customers/count: how many customers meet the filters. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly(FILTER_PARAMETERS);
  const selection = parseFilters(request.query);
  return { body: { count: await countSelected(request.merchant, selection) } };
});
