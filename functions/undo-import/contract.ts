import { MAX_ROWS_APPLIED_IN_CALL, MAX_WRITE_UNITS_IN_CALL } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import {
  applying,
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
  PLAN_TAG_DESCRIPTION,
  PREFER_DESCRIPTION,
  planTagParameter,
  preferParameter,
  workResponses,
} from '../import-contracts.ts';

export const request = {
  path: { importId: importIdParameter },
  headers: { 'If-Match': planTagParameter, Prefer: preferParameter },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/imports/{importId}/undo',
    scope: 'customers:write',
    ...applying,
    table: { ...applying.table, actions: [...applying.table.actions, 'DeleteItem'] },
    importFiles: { undo: ['GetObject', 'PutObject'] },
    summary: 'Undo an import',
    request,
    parameters: {
      importId: IMPORT_ID_DESCRIPTION,
      'If-Match': PLAN_TAG_DESCRIPTION,
      Prefer: PREFER_DESCRIPTION,
    },
    responses: workResponses(
      `The import is undone, or had been before. It is undone within the call if it created and updated at most ${MAX_ROWS_APPLIED_IN_CALL} customers, with at most about ${MAX_WRITE_UNITS_IN_CALL} write units.`,
    ),
    errors: {
      404: NOT_FOUND,
      409: [
        'The import is not applied; or another one is being applied or undone.',
        '/problems/import-state',
      ],
      410: ['What undoing needs is no longer kept.', '/problems/import-expired'],
      412: ['The import has another plan than that of If-Match.', '/problems/stale-plan'],
      428: 'If-Match is missing.',
    },
    schemas: importSchemas(),
  });
