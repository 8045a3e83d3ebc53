import { MAX_IDS_DELETED } from '../../shared/domain/limits.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { idsSchema } from '../../shared/http/id-schemas.ts';
import { parseBody } from '../../shared/http/json-body.ts';
import { deleteCustomers } from '../../shared/storage/write-customers.ts';

const BodySchema = idsSchema(MAX_IDS_DELETED);

/** DELETE /customers: removes the customers with these ids and says how many there were. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const ids = parseBody(request, BodySchema);
  const count = await deleteCustomers(request.merchant, ids);
  return { body: { result: 'Removed', count } };
});
