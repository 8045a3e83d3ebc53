import * as v from 'valibot';
import { defineContract } from '../../shared/http/contract.ts';
import {
  customerIdParameter,
  mergePatchSchema,
  updateCustomerSchema,
} from '../../shared/http/customer-schemas.ts';
import { etagHeader, ref } from '../../shared/http/json-schema.ts';
import { type ParsedRequest, type RequestSchemas, single } from '../../shared/http/validation.ts';

const schemas = {
  path: { mexcParamvaluesetsid: customerIdParameter },
  headers: { 'If-Match': single(() => v.string()) },
  body: updateCustomerSchema,
  mergePatch: mergePatchSchema,
} satisfies RequestSchemas;

export const request = { ...schemas, rules: [idOfPath] } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'PATCH',
    path: '/customers/{mexcParamvaluesetsid}',
    scope: 'customers:write',
    table: { actions: ['GetItem', 'PutItem'] },
    summary: 'Change fields of a customer',
    request,
    parameters: {
      mexcParamvaluesetsid: ["The customer's id.", 1],
      'If-Match': ['Entity tags of which the customer must have one, or `*`.', '"3"'],
    },
    requestBody: {
      name: 'CustomerChanges',
      description:
        'The members to change; an empty string clears one, and a missing one stays as it is. ' +
        'null is an error. mexcParamvaluesetsid, if it is sent, must be that of the path.',
      example: { email: 'ekonomi@glantans-bageri.example', fax: '' },
      mergePatch: {
        name: 'CustomerMergePatch',
        description: 'CustomerChanges as a merge patch (RFC 7396): null clears a member as well.',
        example: { email: 'ekonomi@glantans-bageri.example', fax: null },
      },
    },
    responses: {
      200: {
        description: 'The customer as it is now.',
        schema: ref('Customer'),
        headers: etagHeader(),
      },
    },
    errors: {
      404: ['The merchant has no such customer.', '/problems/customer-not-found'],
      412: ['The customer has been changed since (If-Match).', '/problems/stale-version'],
    },
  });

/** A body with another customer's id was meant for another customer. */
function idOfPath({ pathParameters, body }: Partial<ParsedRequest<typeof schemas>>) {
  const id = pathParameters?.mexcParamvaluesetsid;
  const sent = body?.mexcParamvaluesetsid;
  return sent === undefined || id === undefined || sent === id
    ? []
    : [{ pointer: '/mexcParamvaluesetsid', detail: `differs from the path's, ${id}` }];
}
