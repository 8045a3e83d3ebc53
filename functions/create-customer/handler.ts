import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag } from '../../shared/http/conditional-requests.ts';
import { idempotencyKeyOf } from '../../shared/http/idempotency-key.ts';
import { referencesIn } from '../../shared/http/references.ts';
import { createCustomer } from '../../shared/storage/create-customer.ts';
import { request } from './contract.ts';

/** POST /customers: stores a new customer, once for all requests with one Idempotency-Key. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const header = event.headers['idempotency-key'];
  const key = header === undefined ? undefined : idempotencyKeyOf(header);
  const customer = await createCustomer(merchantId, event.body, referencesIn(event), key);
  const headers = {
    etag: entityTag(customer.version),
    location: `/customers/${customer.system.mexcParamvaluesetsid}`,
  };
  return json(toCustomerJson(customer), { headers });
});
