import { api, json } from '../../shared/http/api.ts';
import { deleteCustomers } from '../../shared/storage/delete-customers.ts';
import { request } from './contract.ts';

/** DELETE /customers: deletes the customers with these ids, and returns how many existed. */
export const handler = api(request).handler(async ({ body: ids }, { merchantId }) =>
  json({ result: 'Removed', count: await deleteCustomers(merchantId, ids) }),
);
