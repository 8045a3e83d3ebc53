import * as v from 'valibot';
import { defineContract } from '../../shared/http/contract.ts';
import { customerIdParameter } from '../../shared/http/customer-schemas.ts';
import { customerId, object, ref, text } from '../../shared/http/json-schema.ts';
import { type RequestSchemas, single } from '../../shared/http/validation.ts';

export const request = {
  path: { mexcParamvaluesetsid: customerIdParameter },
  headers: { 'If-Match': single(() => v.string()) },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'DELETE',
    path: '/customers/{mexcParamvaluesetsid}',
    scope: 'customers:write',
    table: { actions: ['GetItem', 'DeleteItem'] },
    summary: 'Delete a customer',
    request,
    parameters: {
      mexcParamvaluesetsid: ["The customer's id.", 1],
      'If-Match': ['Entity tags of which the customer must have one, or `*`.', '"3"'],
    },
    responses: { 200: { description: 'The customer is deleted.', schema: ref('Removed') } },
    errors: {
      404: ['The merchant has no such customer.', '/problems/customer-not-found'],
      412: ['The customer has been changed since (If-Match).', '/problems/stale-version'],
    },
    schemas: {
      Removed: object({
        result: text({ const: 'Removed', description: 'What was done.' }),
        mexcParamvaluesetsid: customerId({ description: 'Id of the deleted customer.' }),
      }),
    },
  });
