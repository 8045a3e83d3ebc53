import { claimNames } from '../../shared/environment.ts';
import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag } from '../../shared/http/conditional-requests.ts';
import type { HttpEvent } from '../../shared/http/event.ts';
import { idempotencyKeyOf } from '../../shared/http/idempotency-key.ts';
import { createCustomer, type References } from '../../shared/storage/create-customer.ts';
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

/** Returns the module and the service that the token says the customer belongs to. */
function referencesIn({ requestContext }: HttpEvent): References {
  const { claims } = requestContext.authorizer.jwt;
  const { service, module } = claimNames();
  const integer = (claim: unknown) =>
    /^\d{1,15}$/.test(String(claim)) ? Number(claim) : undefined;
  const mm3servicesid = integer(claims[service]);
  const mexcModulesid = integer(claims[module]);
  return {
    ...(mm3servicesid !== undefined && { mm3servicesid }),
    ...(mexcModulesid !== undefined && { mexcModulesid }),
  };
}
