import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import {
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
} from '../import-contracts.ts';

export const request = { path: { importId: importIdParameter } } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'DELETE',
    path: '/customers/imports/{importId}',
    scope: 'customers:write',
    table: { actions: ['GetItem'], importJobs: ['UpdateItem'] },
    importFiles: { upload: ['DeleteObject'], plan: ['DeleteObject'], undo: ['DeleteObject'] },
    summary: 'Stop an import, or delete its files',
    request,
    parameters: { importId: IMPORT_ID_DESCRIPTION },
    responses: {
      200: {
        description:
          'Applying or undoing stops after the current step; until that has ended, a repeat changes ' +
          'nothing. An import that does neither is canceled: its files are deleted, and it can no ' +
          'longer be undone; customers stay as they are.',
        schema: ref('Import'),
      },
    },
    errors: { 404: NOT_FOUND },
    schemas: importSchemas(),
  });
