import { idsSchema } from '../shared/customer/ids.ts';
import { parseBody } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { MAX_IDS_DELETED } from '../shared/limits.ts';
import { deleteCustomers } from '../shared/store/customers.ts';

const BodySchema = idsSchema(MAX_IDS_DELETED);

/** DELETE /customers: removes the customers with these ids and says how many there were. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const ids = parseBody(request, BodySchema);
  const count = await deleteCustomers(request.merchant, ids);
  return { body: { result: 'Removed', count } };
});
