import { api, json } from '../../shared/http/api.ts';
import { meetsIfMatch } from '../../shared/http/conditional-requests.ts';
import { deleteCustomer } from '../../shared/storage/delete-customers.ts';
import { request } from './contract.ts';

/**
 * DELETE /customers/{mexcParamvaluesetsid}: deletes a customer. If-Match makes the deletion
 * conditional on the version.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { mexcParamvaluesetsid: id } = event.pathParameters;
  const ifMatch = event.headers['if-match'];
  const isExpected =
    ifMatch === undefined ? undefined : (version: number) => meetsIfMatch(ifMatch, version);
  await deleteCustomer(merchantId, id, isExpected);
  return json({ result: 'Removed', mexcParamvaluesetsid: id });
});
