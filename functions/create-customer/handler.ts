import type { CustomerFields } from '../../shared/domain/customer.ts';
import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag } from '../../shared/http/conditional-requests.ts';
import type { HttpEvent, HttpResponse } from '../../shared/http/event.ts';
import { idempotencyKeyOf } from '../../shared/http/idempotency-key.ts';
import { logFailure, toProblem } from '../../shared/http/problem-details.ts';
import { referencesIn } from '../../shared/http/references.ts';
import { createCustomer } from '../../shared/storage/create-customer.ts';
import { createCustomers } from '../../shared/storage/create-customers.ts';
import { request } from './contract.ts';

/**
 * POST /customers: stores a new customer, or an array of them, once for all requests with one
 * Idempotency-Key.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const header = event.headers['idempotency-key'];
  const key = header === undefined ? undefined : idempotencyKeyOf(header);
  const { body } = event;
  if (isBatch(body)) return respondWithEach(event, merchantId, body, key);
  const customer = await createCustomer(merchantId, body, referencesIn(event), key);
  const headers = {
    etag: entityTag(customer.version),
    location: `/customers/${customer.system.mexcParamvaluesetsid}`,
  };
  return json(toCustomerJson(customer), { headers });
});

/** Returns a result for each customer: 201 if all are stored, otherwise 207 (RFC 4918, section 13). */
async function respondWithEach(
  event: HttpEvent,
  merchantId: string,
  bodies: readonly CustomerFields[],
  key: string | undefined,
): Promise<HttpResponse> {
  const created = await createCustomers(merchantId, bodies, referencesIn(event), key);
  const failures = new Set(created.filter((result) => result instanceof Error));
  for (const failure of failures) logFailure(failure, event);
  const next =
    key === undefined
      ? 'It may be stored: look before you send it again.'
      : 'Send the whole request again with its Idempotency-Key.';
  const results = created.map((result) => {
    if (result instanceof Error) {
      const { status, message } = toProblem(result);
      return { status, detail: `${message} ${next}` };
    }
    return { status: 201, etag: entityTag(result.version), customer: toCustomerJson(result) };
  });
  if (failures.size === 0) return json(results, { statusCode: 201 });
  return json(results, { statusCode: 207, headers: { 'retry-after': '2' } });
}

/** `Array.isArray` does not know read-only arrays. */
function isBatch(
  body: CustomerFields | readonly CustomerFields[],
): body is readonly CustomerFields[] {
  return Array.isArray(body);
}
