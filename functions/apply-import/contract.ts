import { MAX_ROWS_APPLIED_IN_CALL, MAX_WRITE_UNITS_IN_CALL } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import {
  applying,
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  leaveOutSchema,
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
  body: leaveOutSchema,
  isBodyOptional: true,
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/imports/{importId}/apply',
    scope: 'customers:write',
    ...applying,
    importFiles: { plan: ['GetObject'], undo: ['PutObject'] },
    summary: 'Apply the plan of an import',
    request,
    parameters: {
      importId: IMPORT_ID_DESCRIPTION,
      'If-Match': PLAN_TAG_DESCRIPTION,
      Prefer: PREFER_DESCRIPTION,
    },
    requestBody: {
      name: 'ImportLeaveOut',
      description:
        'Which rows to leave out. The body may be missing if no row is ambiguous or invalid.',
      members: { leaveOut: 'Outcomes whose rows are left out.' },
      example: { leaveOut: ['ambiguous', 'invalid'] },
    },
    responses: workResponses(
      `The plan is applied, or had been before. It is applied within the call if it creates and updates at most ${MAX_ROWS_APPLIED_IN_CALL} customers, with at most about ${MAX_WRITE_UNITS_IN_CALL} write units.`,
    ),
    errors: {
      404: NOT_FOUND,
      409: [
        'The import is not planned, or is undone; `leaveOut` does not name the outcomes of ambiguous or invalid rows; or another import is being applied or undone.',
        '/problems/import-state',
        '/problems/rows-to-leave-out',
      ],
      410: ['The plan is no longer kept.', '/problems/import-expired'],
      412: ['The import has another plan than that of If-Match.', '/problems/stale-plan'],
      428: 'If-Match is missing.',
    },
    schemas: importSchemas(),
  });
