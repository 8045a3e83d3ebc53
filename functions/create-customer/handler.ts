import type { Customer, Origin } from '../../shared/domain/customer.ts';
import { toJson } from '../../shared/domain/customer.ts';
import { MAX_IDEMPOTENCY_KEY_LENGTH } from '../../shared/domain/limits.ts';
import { claimNames } from '../../shared/environment.ts';
import { entityTag } from '../../shared/http/conditional-requests.ts';
import { NewCustomerSchema, newTexts } from '../../shared/http/customer-schemas.ts';
import { endpoint, type Request } from '../../shared/http/endpoint.ts';
import { parseBody } from '../../shared/http/json-body.ts';
import { badHeader } from '../../shared/http/problem-details.ts';
import { addCustomerOnce } from '../../shared/storage/idempotency.ts';
import { nextId } from '../../shared/storage/sequence.ts';
import { addCustomer } from '../../shared/storage/write-customers.ts';

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
