import * as v from 'valibot';
import { toJson } from '../../shared/domain/customer.ts';
import { entityTag, matches } from '../../shared/http/conditional-requests.ts';
import { NewCustomerSchema, textsOf } from '../../shared/http/customer-schemas.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { IdSchema } from '../../shared/http/id-schemas.ts';
import { parseBody } from '../../shared/http/json-body.ts';
import { idInPath } from '../../shared/http/path.ts';
import { badRequest } from '../../shared/http/problem-details.ts';
import { updateCustomer } from '../../shared/storage/write-customers.ts';

/**
 * PATCH /customers/{mexcParamvaluesetsid}: changes the fields that are sent; an empty string
 * clears one. With If-Match only the version that the caller knows is changed.
 */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const id = idInPath(request);
  const body = parseBody(request, NewCustomerSchema);
  checkId(body, id);
  const ifMatch = request.headers['if-match'];
  const customer = await updateCustomer(
    request.merchant,
    id,
    textsOf(body),
    (version) => ifMatch === undefined || matches(ifMatch, version),
  );
  return { headers: { etag: entityTag(customer.version) }, body: toJson(customer) };
});

/** A body with another customer's id was meant for another customer. */
function checkId(body: Readonly<Record<string, unknown>>, id: number): void {
  if (!Object.hasOwn(body, 'mexcParamvaluesetsid')) return;
  const sent = v.safeParse(IdSchema, body.mexcParamvaluesetsid);
  if (sent.success && sent.output === id) return;
  throw badRequest([
    { pointer: '/mexcParamvaluesetsid', detail: `differs from the path's, ${id}` },
  ]);
}
