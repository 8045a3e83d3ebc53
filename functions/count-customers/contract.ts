import { defineContract } from '../../shared/http/contract.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import { count, object, ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES } from '../../shared/storage/table.ts';

export const request = {
  query: filterParameters,
  rules: [filterRule],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/count',
    scope: 'customers:read',
    table: {
      actions: ['BatchGetItem', 'Query'],
      indexes: [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES],
    },
    snapshots: 'read',
    summary: 'Count customers',
    request,
    parameters: filterDescriptions(),
    responses: {
      200: { description: 'The number of customers that meet the filters.', schema: ref('Count') },
    },
    schemas: { Count: object({ count: count({ description: 'How many customers.' }) }) },
  });
