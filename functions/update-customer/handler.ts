import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag, meetsIfMatch } from '../../shared/http/conditional-requests.ts';
import { updateCustomer } from '../../shared/storage/update-customer.ts';
import { request } from './contract.ts';

/**
 * PATCH /customers/{mexcParamvaluesetsid}: changes the fields that are sent; an empty string clears
 * one. If-Match makes the change conditional on the version.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { mexcParamvaluesetsid: id } = event.pathParameters;
  const ifMatch = event.headers['if-match'];
  const isExpected = (version: number) => ifMatch === undefined || meetsIfMatch(ifMatch, version);
  const customer = await updateCustomer(merchantId, id, event.body.changes, isExpected);
  return json(toCustomerJson(customer), { headers: { etag: entityTag(customer.version) } });
});
