import { toCustomerJson } from '../../shared/formats/json.ts';
import { api, json } from '../../shared/http/api.ts';
import { entityTag, meetsIfMatch } from '../../shared/http/conditional-requests.ts';
import { referencesIn } from '../../shared/http/references.ts';
import { putByCustomerid } from '../../shared/storage/put-by-customerid.ts';
import { request } from './contract.ts';

/**
 * PUT /customers/by-customerid/{customerid}: creates the customer with this customerid, or replaces
 * its fields.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { customerid } = event.pathParameters;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = event.headers;
  const { customer, isCreated } = await putByCustomerid(
    merchantId,
    { customerid, ...event.body },
    referencesIn(event),
    {
      isNew: ifNoneMatch !== undefined,
      isExpected:
        ifMatch === undefined ? undefined : (version: number) => meetsIfMatch(ifMatch, version),
    },
  );
  const headers = { etag: entityTag(customer.version) };
  const location = `/customers/${customer.system.mexcParamvaluesetsid}`;
  return json(
    toCustomerJson(customer),
    isCreated ? { statusCode: 201, headers: { ...headers, location } } : { headers },
  );
});
