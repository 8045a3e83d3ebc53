import * as v from 'valibot';
import { MAX_CUSTOMERS_CREATED } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { createCustomerSchema, createCustomersSchema } from '../../shared/http/customer-schemas.ts';
import { IDEMPOTENCY_KEY_PATTERN } from '../../shared/http/idempotency-key.ts';
import { etagHeader, header, object, ref, text } from '../../shared/http/json-schema.ts';
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
  batch: () => createCustomersSchema(MAX_CUSTOMERS_CREATED),
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers',
    scope: 'customers:write',
    // Updates the id sequence; puts customers, the idempotency record and its marks, which it also gets.
    table: { actions: ['GetItem', 'PutItem', 'UpdateItem'] },
    summary: 'Create a customer, or several',
    request,
    parameters: {
      'Idempotency-Key': [
        'Makes a retry safe: all requests with the same key and body within 24 hours create one ' +
          'customer, or those of one array, and get the same response. `"a1"`, a string of RFC 9651, ' +
          'and `a1` are the same key.',
        '5f0c7c7e-6f1c-4c63-9d0e-2b1a8f6f3f0a',
      ],
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
      batch: {
        name: 'NewCustomers',
        description: 'New customers, each with a result in the response, in their order.',
        example: [{ customerid: '10302', name: 'Alm AB' }, { name: 'Ek AB' }],
      },
    },
    responses: {
      200: {
        description: 'The new customer.',
        schema: ref('Customer'),
        headers: { ...etagHeader(), Location: header('Path of the customer.') },
      },
      201: { description: 'Of an array: all customers are created.', schema: results() },
      207: {
        description:
          'Of an array: the first customers are created; some of those that follow may not be stored.',
        schema: results(),
        example: [notStored()],
        headers: { 'Retry-After': header('Seconds after which to try again.') },
      },
    },
    schemas: { CreationResult: creationResult() },
    errors: {
      422: ['The Idempotency-Key was used with another body.', '/problems/reused-idempotency-key'],
    },
  });

function results() {
  return { type: 'array', items: ref('CreationResult') };
}

function creationResult() {
  return {
    ...object(
      {
        status: {
          type: 'integer',
          description: '201 if the customer is created; 503 or 500 if it may not be stored.',
        },
        etag: text({ description: "Entity tag of the customer's version, if it is created." }),
        customer: { ...ref('Customer'), description: 'The customer, if it is created.' },
        detail: text({
          description: 'What is wrong and what to do, if it may not be stored.',
          examples: [notStored().detail],
        }),
      },
      ['status'],
    ),
    description: 'What became of one customer of an array.',
  };
}

function notStored() {
  const detail =
    'The register is busy or cannot be reached. Try again shortly. ' +
    'Send the whole request again with its Idempotency-Key.';
  return { status: 503, detail };
}
