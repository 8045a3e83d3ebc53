import { toJson } from '../../shared/domain/customer.ts';
import { entityTag, matchesWeakly } from '../../shared/http/conditional-requests.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { idInPath } from '../../shared/http/path.ts';
import { customerNotFound } from '../../shared/http/problem-details.ts';
import { getCustomer } from '../../shared/storage/read-customer.ts';

/** GET /customers/{mexcParamvaluesetsid}: one customer; 304 where the caller has this version. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const id = idInPath(request);
  const customer = await getCustomer(request.merchant, id);
  if (!customer) throw customerNotFound(id);
  const headers = { etag: entityTag(customer.version) };
  const known = request.headers['if-none-match'];
  if (known !== undefined && matchesWeakly(known, customer.version))
    return { status: 304, headers };
  return { headers, body: toJson(customer) };
});
