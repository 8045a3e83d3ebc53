import { LISTED_EXPORTS } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { exportSchemas } from '../export-contracts.ts';

export const request = {} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/exports',
    scope: 'customers:read',
    table: { actions: ['Query'] },
    summary: 'List long exports, the newest first',
    request,
    parameters: {},
    responses: {
      200: {
        description: `The newest ${LISTED_EXPORTS} long exports whose status has not expired.`,
        schema: { type: 'array', maxItems: LISTED_EXPORTS, items: ref('ListedExport') },
      },
    },
    schemas: exportSchemas(),
  });
