import { api, json } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { countCustomers } from '../../shared/storage/count-customers.ts';
import { request } from './contract.ts';

/** GET /customers/count: returns how many customers meet the filters. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const filter = filterOfQuery(event.queryStringParameters);
  return json({ count: await countCustomers(merchantId, filter) });
});
