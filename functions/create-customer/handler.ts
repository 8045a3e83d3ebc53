import type { Customer, SystemFields } from '../../shared/domain/customer.ts';
import { claimNames } from '../../shared/environment.ts';
import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag } from '../../shared/http/conditional-requests.ts';
import type { HttpEvent } from '../../shared/http/event.ts';
import { addCustomerOnce } from '../../shared/storage/idempotency.ts';
import { addCustomer, nextId } from '../../shared/storage/write-customers.ts';
import { request } from './contract.ts';

/** POST /customers: stores a new customer, once for all requests with one Idempotency-Key. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { id, date } = await nextId(merchantId);
  const system = { mexcParamvaluesetsid: id, date, ...moduleAndService(event) };
  const created: Customer = { system, fields: event.body, version: 1 };
  const customer = await store(merchantId, event.headers['idempotency-key'], created);
  const headers = {
    etag: entityTag(customer.version),
    location: `/customers/${customer.system.mexcParamvaluesetsid}`,
  };
  return json(toCustomerJson(customer), { headers });
});

async function store(merchantId: string, idempotencyKey: string | undefined, customer: Customer) {
  if (idempotencyKey !== undefined) return addCustomerOnce(merchantId, idempotencyKey, customer);
  // The id is new: if it is in use, an earlier attempt of this write succeeded without a response.
  await addCustomer(merchantId, customer);
  return customer;
}

/** Returns the module and the service that the token says the customer belongs to. */
function moduleAndService({
  requestContext,
}: HttpEvent): Pick<SystemFields, 'mexcModulesid' | 'mm3servicesid'> {
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
