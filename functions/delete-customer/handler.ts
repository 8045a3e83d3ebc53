import { matches } from '../../shared/http/conditional-requests.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { idInPath } from '../../shared/http/path.ts';
import { deleteCustomer } from '../../shared/storage/write-customers.ts';

/**
 * DELETE /customers/{mexcParamvaluesetsid}: removes one customer. With If-Match only the version
 * that the caller knows is removed.
 */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const id = idInPath(request);
  const ifMatch = request.headers['if-match'];
  const isExpected =
    ifMatch === undefined ? undefined : (version: number) => matches(ifMatch, version);
  await deleteCustomer(request.merchant, id, isExpected);
  return { body: { result: 'Removed', mexcParamvaluesetsid: id } };
});
