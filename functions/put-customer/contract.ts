import * as v from 'valibot';
import { MAX_DUPLICATES_NAMED } from '../../shared/domain/limits.ts';
import { customeridForm } from '../../shared/domain/look-up-forms.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { createCustomerSchema, customeridSchema } from '../../shared/http/customer-schemas.ts';
import { etagHeader, header, ref } from '../../shared/http/json-schema.ts';
import {
  checked,
  type ParsedRequest,
  type RequestSchemas,
  single,
} from '../../shared/http/validation.ts';
import { LOOK_UP_INDEXES } from '../../shared/storage/table.ts';

const schemas = {
  path: { customerid: single(customeridSchema) },
  headers: {
    'If-Match': single(() => v.string()),
    'If-None-Match': single(() =>
      v.pipe(
        v.string(),
        checked(
          (text) => text.trim() === '*',
          'must be *: no customer may have the customerid',
          {},
        ),
      ),
    ),
  },
  body: createCustomerSchema,
} satisfies RequestSchemas;

export const request = { ...schemas, rules: [customeridOfPath] } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'PUT',
    path: '/customers/by-customerid/{customerid}',
    // API Gateway decodes a path before it looks for a route, and `%2F` becomes a slash.
    hasGreedyPath: true,
    scope: 'customers:write',
    // Gets claim and customer; updates the id sequence; puts both in a transaction.
    table: {
      actions: ['GetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
      indexes: [LOOK_UP_INDEXES.customerid.name],
    },
    summary: "Create or replace a customer by the merchant's own key",
    request,
    parameters: {
      customerid: [
        "The customer's customerid, percent-encoded; case matters, white space around it does not.",
        '10301',
      ],
      'If-Match': [
        'Entity tags of which the customer must have one, or `*`: it must exist.',
        '"3"',
      ],
      'If-None-Match': ['`*`: no customer may have the customerid.', '*'],
    },
    requestBody: {
      name: 'WholeCustomer',
      description:
        'All fields of the customer: those that are left out are cleared. customerid, if it is ' +
        'sent, must be that of the path.',
      example: {
        customerid: '10301',
        name: 'Gläntans Bageri AB',
        companyno: '556703-7485',
        email: 'faktura@glantans-bageri.example',
      },
    },
    responses: {
      200: {
        description: 'The customer existed, and is replaced.',
        schema: ref('Customer'),
        headers: etagHeader(),
      },
      201: {
        description: 'The customer is new.',
        schema: ref('Customer'),
        headers: { ...etagHeader(), Location: header('Path of the customer.') },
      },
    },
    errors: {
      409: [
        `Several customers have the customerid; \`ids\` are theirs, at most ${MAX_DUPLICATES_NAMED}.`,
        '/problems/duplicate-customerid',
      ],
      412: [
        'There is a customer (If-None-Match), or none with this entity tag (If-Match).',
        '/problems/customer-exists',
        '/problems/stale-version',
      ],
    },
  });

/** A body with another customerid was meant for another customer. */
function customeridOfPath({ pathParameters, body }: Partial<ParsedRequest<typeof schemas>>) {
  const path = pathParameters?.customerid;
  const sent = body?.customerid;
  return sent === undefined || path === undefined || customeridForm(sent) === customeridForm(path)
    ? []
    : [{ pointer: '/customerid', detail: `differs from the path's, ${path}` }];
}
