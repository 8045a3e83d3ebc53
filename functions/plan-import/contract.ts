import {
  MAX_BYTES_PLANNED_IN_CALL,
  MAX_PLANNING_IN_CALL_MS,
  MAX_ROWS_PLANNED_IN_CALL,
} from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import {
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
  PREFER_DESCRIPTION,
  planning,
  preferParameter,
  workResponses,
} from '../import-contracts.ts';

export const request = {
  path: { importId: importIdParameter },
  headers: { Prefer: preferParameter },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/imports/{importId}/plan',
    scope: 'customers:write',
    ...planning,
    summary: 'Plan an import: what becomes of each row',
    request,
    parameters: { importId: IMPORT_ID_DESCRIPTION, Prefer: PREFER_DESCRIPTION },
    responses: workResponses(
      `The import is planned. It is planned within the call if the file has at most ${MAX_BYTES_PLANNED_IN_CALL} bytes and ${MAX_ROWS_PLANNED_IN_CALL} rows, and planning takes less than ${MAX_PLANNING_IN_CALL_MS / 1_000} seconds.`,
    ),
    errors: {
      404: NOT_FOUND,
      409: ['There is no file yet, or the import has been applied.', '/problems/import-state'],
      410: ['The file is no longer kept.', '/problems/import-expired'],
      422: ['The file cannot be read; code says why.', '/problems/unreadable-file'],
    },
    schemas: importSchemas(),
  });
