import { FILTER_PARAMETERS, parseFilters } from '../../shared/domain/customer-filter.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { countSelected } from '../../shared/storage/customer-index.ts';

/** GET /customers/count: how many customers meet the filters. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly(FILTER_PARAMETERS);
  const selection = parseFilters(request.query);
  return { body: { count: await countSelected(request.merchant, selection) } };
});
