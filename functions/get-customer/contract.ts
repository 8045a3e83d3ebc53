import * as v from 'valibot';
import { defineContract } from '../../shared/http/contract.ts';
import { customerIdParameter } from '../../shared/http/customer-schemas.ts';
import {
  FIELDS_DESCRIPTION,
  FIELDS_EXAMPLE,
  fieldsParameter,
} from '../../shared/http/fields-parameter.ts';
import { etagHeader, ref } from '../../shared/http/json-schema.ts';
import { type RequestSchemas, single } from '../../shared/http/validation.ts';

export const request = {
  path: { mexcParamvaluesetsid: customerIdParameter },
  query: { fields: fieldsParameter },
  headers: { 'If-None-Match': single(() => v.string()) },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/{mexcParamvaluesetsid}',
    scope: 'customers:read',
    table: { actions: ['GetItem'] },
    summary: 'Get a customer',
    request,
    parameters: {
      mexcParamvaluesetsid: ["The customer's id.", 1],
      fields: [FIELDS_DESCRIPTION, FIELDS_EXAMPLE],
      'If-None-Match': ['Entity tags that the caller has already.', '"3"'],
    },
    responses: {
      200: { description: 'The customer.', schema: ref('Customer'), headers: etagHeader() },
      304: { description: 'The caller has the current version.', headers: etagHeader() },
    },
    errors: { 404: ['The merchant has no such customer.', '/problems/customer-not-found'] },
  });
