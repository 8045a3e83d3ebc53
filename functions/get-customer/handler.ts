import { CustomerNotFoundError } from '../../shared/domain/errors.ts';
import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json, noContent } from '../../shared/http/api.ts';
import { entityTag, isInIfNoneMatch } from '../../shared/http/conditional-requests.ts';
import { getCustomer } from '../../shared/storage/read-customer.ts';
import { request } from './contract.ts';

/** GET /customers/{mexcParamvaluesetsid}: returns a customer, or 304 if the caller has the version. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { mexcParamvaluesetsid: id } = event.pathParameters;
  const customer = await getCustomer(merchantId, id);
  if (!customer) throw new CustomerNotFoundError(id);
  const headers = { etag: entityTag(customer.version) };
  const ifNoneMatch = event.headers['if-none-match'];
  if (ifNoneMatch !== undefined && isInIfNoneMatch(ifNoneMatch, customer.version)) {
    return noContent({ statusCode: 304, headers });
  }
  return json(toCustomerJson(customer, event.queryStringParameters.fields), { headers });
});
