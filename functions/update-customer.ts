import * as v from 'valibot';
import { toJson } from '../shared/customer/customer.ts';
import { IdSchema } from '../shared/customer/ids.ts';
import { NewCustomerSchema, textsOf } from '../shared/customer/schema.ts';
import { parseBody } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { entityTag, matches } from '../shared/http/entity-tag.ts';
import { idInPath } from '../shared/http/path.ts';
import { badRequest } from '../shared/http/problem.ts';
import { updateCustomer } from '../shared/store/customers.ts';

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
