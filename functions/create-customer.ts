import { claimNames } from '../shared/config.ts';
import type { Customer, Origin } from '../shared/customer/customer.ts';
import { toJson } from '../shared/customer/customer.ts';
import { NewCustomerSchema, newTexts } from '../shared/customer/schema.ts';
import { parseBody } from '../shared/http/body.ts';
import { endpoint, type Request } from '../shared/http/endpoint.ts';
import { entityTag } from '../shared/http/entity-tag.ts';
import { badHeader } from '../shared/http/problem.ts';
import { MAX_IDEMPOTENCY_KEY_LENGTH } from '../shared/limits.ts';
import { addCustomer } from '../shared/store/customers.ts';
import { addCustomerOnce } from '../shared/store/idempotency.ts';
import { nextId } from '../shared/store/sequence.ts';

const IDEMPOTENCY_KEY = new RegExp(`^[\\x21-\\x7e]{1,${MAX_IDEMPOTENCY_KEY_LENGTH}}$`);

/** POST /customers: stores a new customer, once for all requests with one Idempotency-Key. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const key = idempotencyKey(request);
  const texts = newTexts(parseBody(request, NewCustomerSchema));
  const { id, date } = await nextId(request.merchant);
  const origin = { mexcParamvaluesetsid: id, date, ...membership(request) };
  const customer = await add(request.merchant, key, { origin, texts, version: 1 });
  return {
    headers: {
      etag: entityTag(customer.version),
      location: `/customers/${customer.origin.mexcParamvaluesetsid}`,
    },
    body: toJson(customer),
  };
});

function idempotencyKey({ headers }: Request): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
  throw badHeader(
    'Idempotency-Key',
    `must be 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} visible ASCII characters`,
  );
}

async function add(merchant: string, key: string | undefined, customer: Customer) {
  if (key !== undefined) return addCustomerOnce(merchant, key, customer);
  // The id is new, so where it is in use, an attempt of this very write got through unheard.
  await addCustomer(merchant, customer);
  return customer;
}

/** The service and the module that the token says the customer belongs to. */
function membership({ claims }: Request): Pick<Origin, 'mm3servicesid' | 'mexcModulesid'> {
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
