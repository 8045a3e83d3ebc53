import * as v from 'valibot';
import { OUTCOMES, RESULTS } from '../../shared/domain/import.ts';
import { DEFAULT_IMPORT_ROWS, MAX_IMPORT_ROWS_LISTED } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import {
  anyOf,
  commaSeparated,
  instead,
  integer,
  type RequestSchemas,
  single,
} from '../../shared/http/validation.ts';
import {
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
} from '../import-contracts.ts';

export const request = {
  path: { importId: importIdParameter },
  query: {
    outcome: commaSeparated(() =>
      v.array(v.picklist(OUTCOMES, instead(`must be ${anyOf(OUTCOMES)}`))),
    ),
    result: commaSeparated(() =>
      v.array(v.picklist(RESULTS, instead(`must be ${anyOf(RESULTS)}`))),
    ),
    after: single(() => integer(0, Number.MAX_SAFE_INTEGER), 0),
    limit: single(() => integer(1, MAX_IMPORT_ROWS_LISTED), DEFAULT_IMPORT_ROWS),
  },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/imports/{importId}/rows',
    scope: 'customers:write',
    table: { actions: ['GetItem'] },
    importFiles: { plan: ['GetObject'], undo: ['GetObject'] },
    readsAll: true,
    summary: 'List the rows of an import: what is planned, and what was done',
    request,
    parameters: {
      importId: IMPORT_ID_DESCRIPTION,
      outcome: [
        'Outcomes of the rows, separated by commas. Default: all.',
        ['update', 'ambiguous'],
      ],
      result: [
        'Results of the rows, separated by commas. Default: all, and rows without one.',
        ['changedMeanwhile'],
      ],
      after: ['Number of the row after which the page begins: next of the page before.', 100],
      limit: ['Maximum rows of the page. It can have fewer, or none, although others follow.', 10],
    },
    responses: {
      200: {
        description: 'A page of rows; next is the after of the next one.',
        schema: ref('ImportRows'),
      },
    },
    errors: {
      404: NOT_FOUND,
      409: ['The import is not planned yet.', '/problems/import-state'],
      410: ['The plan is no longer kept.', '/problems/import-expired'],
    },
    schemas: importSchemas(),
  });
