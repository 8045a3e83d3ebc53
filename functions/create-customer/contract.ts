import * as v from 'valibot';
import { defineContract } from '../../shared/http/contract.ts';
import { createCustomerSchema } from '../../shared/http/customer-schemas.ts';
import { IDEMPOTENCY_KEY_PATTERN } from '../../shared/http/idempotency-key.ts';
import { etagHeader, header, ref } from '../../shared/http/json-schema.ts';
import { type RequestSchemas, single } from '../../shared/http/validation.ts';

export const request = {
  headers: {
    'Idempotency-Key': single(() =>
      v.pipe(
        v.string(),
        v.regex(
          new RegExp(IDEMPOTENCY_KEY_PATTERN),
          'must be 1 to 255 visible ASCII characters, or 1 to 255 characters in double quotes as in RFC 9651',
        ),
      ),
    ),
  },
  body: createCustomerSchema,
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers',
    scope: 'customers:write',
    // Updates the id sequence; puts the customer and the idempotency record, which it also gets.
    table: { actions: ['GetItem', 'PutItem', 'UpdateItem'] },
    summary: 'Create a customer',
    request,
    parameters: {
      'Idempotency-Key':
        'All requests with one key and one body within 24 hours create one customer and get one ' +
        'response. In double quotes (a string of RFC 9651) or without them it is the same key.',
    },
    requestBody: {
      name: 'NewCustomer',
      description: 'A new customer. Every member may be left out or empty.',
      example: {
        customerid: '10301',
        name: 'Gläntans Bageri AB',
        address: 'Storgatan 1',
        postcode: '111 20',
        postoffice: 'Stockholm',
        countrycode: 'SE',
        companyno: '556703-7485',
        email: 'faktura@glantans-bageri.example',
      },
    },
    responses: {
      200: {
        description: 'The new customer.',
        schema: ref('Customer'),
        headers: { ...etagHeader(), Location: header('Path of the customer.') },
      },
    },
    errors: { 422: 'The Idempotency-Key was used with another body.' },
  });
