import { defineContract } from '../../shared/http/contract.ts';
import { idsSchema } from '../../shared/http/customer-schemas.ts';
import { count, object, ref, text } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';

const MAX_IDS = 1_000;

export const request = { body: () => idsSchema(MAX_IDS) } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'DELETE',
    path: '/customers',
    scope: 'customers:write',
    // Gets a customer again whose deletion had no response.
    table: { actions: ['BatchGetItem', 'DeleteItem', 'GetItem'] },
    summary: 'Delete many customers',
    request,
    parameters: {},
    requestBody: {
      name: 'IdsToDelete',
      description: 'Ids of customers, as numbers or as digits; duplicates count once.',
      example: [299, '300'],
    },
    responses: { 200: { description: 'The customers are deleted.', schema: ref('RemovedCount') } },
    schemas: {
      RemovedCount: object({
        result: text({ const: 'Removed', description: 'What was done.' }),
        count: count({ description: 'How many customers existed and are deleted.' }),
      }),
    },
  });
