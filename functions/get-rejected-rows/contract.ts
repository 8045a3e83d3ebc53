import * as v from 'valibot';
import { MAX_REJECTED_BYTES, MAX_REJECTED_ROWS } from '../../shared/domain/limits.ts';
import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { header, ref } from '../../shared/http/json-schema.ts';
import { oneOf, type RequestSchemas, single } from '../../shared/http/validation.ts';
import {
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
} from '../import-contracts.ts';

export const request = {
  path: { importId: importIdParameter },
  query: { format: single(() => oneOf(['csv', 'xlsx']), 'csv') },
  headers: { 'Accept-Language': single(() => v.string()) },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/imports/{importId}/rejected',
    scope: 'customers:write',
    table: { actions: ['GetItem'] },
    importFiles: { plan: ['GetObject', 'PutObject', 'AbortMultipartUpload'] },
    readsAll: true,
    summary: 'Write the rows of an import that are not imported to a file',
    request,
    parameters: {
      importId: IMPORT_ID_DESCRIPTION,
      format: ['Format of the file, for a caller whose Accept prefers JSON.', 'xlsx'],
      'Accept-Language': ['Language of what is wrong: en (default) or sv.', 'sv'],
    },
    responses: {
      200: {
        description:
          'The file with the rows that are ambiguous, invalid or skipped: their cells as they were ' +
          // Not by Intl, whose first use takes 15 ms.
          `sent, then row, column and error; the first ${MAX_REJECTED_ROWS / 1_000},000, or about ` +
          `${MAX_REJECTED_BYTES / 1_000_000} MB, of which count says how many.`,
        schema: ref('RejectedRows'),
      },
      303: {
        description: `The same for a caller whose Accept prefers ${CSV_TYPE} or ${XLSX_TYPE}.`,
        headers: { Location: header('Presigned URL of the file, valid without a token.') },
      },
    },
    errors: {
      404: NOT_FOUND,
      409: ['The import is not planned yet.', '/problems/import-state'],
      410: ['The plan is no longer kept.', '/problems/import-expired'],
    },
    schemas: importSchemas(),
  });
