import { KNOWN_IMPORTS, LISTED_IMPORTS } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { importSchemas } from '../import-contracts.ts';

export const request = {} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/imports',
    scope: 'customers:write',
    table: { actions: ['Query'] },
    summary: 'List imports, the newest first',
    request,
    parameters: {},
    responses: {
      200: {
        // Not by Intl, whose first use takes 15 ms.
        description: `The newest ${LISTED_IMPORTS} imports that are still kept, of the last ${KNOWN_IMPORTS / 1_000},000.`,
        schema: { type: 'array', maxItems: LISTED_IMPORTS, items: ref('Import') },
      },
    },
    schemas: importSchemas(),
  });
