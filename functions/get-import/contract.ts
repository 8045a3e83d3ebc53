import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import {
  IMPORT_ID_DESCRIPTION,
  importIdParameter,
  importSchemas,
  NOT_FOUND,
  statusHeaders,
} from '../import-contracts.ts';

export const request = { path: { importId: importIdParameter } } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/imports/{importId}',
    scope: 'customers:write',
    table: { actions: ['GetItem'] },
    // The presigned URL for the file has the permissions of its signer.
    importFiles: { upload: ['PutObject'] },
    summary: 'Get the status of an import',
    request,
    parameters: { importId: IMPORT_ID_DESCRIPTION },
    responses: {
      200: { description: 'The import.', schema: ref('Import'), headers: statusHeaders() },
    },
    errors: { 404: NOT_FOUND },
    schemas: importSchemas(),
  });
