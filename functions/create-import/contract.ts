import { MAX_ROWS_PLANNED_IN_CALL, MAX_WAITING_IMPORTS } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import { FileBody } from '../../shared/http/media-type.ts';
import type { Fault } from '../../shared/http/problem-details.ts';
import type { RequestSchemas, SentNames } from '../../shared/http/validation.ts';
import {
  FILE_TYPES,
  fileDescriptions,
  fileParameterDescriptions,
  fileParameters,
  importSchemas,
  locationHeader,
  newImportSchema,
  PREFER_DESCRIPTION,
  planning,
  planTagHeader,
  preferParameter,
  workResponses,
} from '../import-contracts.ts';

export const request = {
  query: fileParameters,
  headers: { Prefer: preferParameter },
  body: newImportSchema,
  files: Object.keys(FILE_TYPES),
  rules: [optionsOfBody],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/imports',
    scope: 'customers:write',
    ...planning,
    table: { ...planning.table, importJobs: ['PutItem', 'UpdateItem'] },
    importFiles: {
      ...planning.importFiles,
      upload: ['GetObject', 'PutObject', 'DeleteObject'],
    },
    summary: 'Create an import of customers from a file',
    request,
    parameters: { ...fileParameterDescriptions(), Prefer: PREFER_DESCRIPTION },
    requestBody: {
      name: 'NewImport',
      description:
        'The options of an import. `upload` of the response is the request by which to send its file.',
      members: {
        format: 'Format of the file.',
        bytes: 'Size of the file in bytes; a file of another size is refused.',
        filename: 'Name of the file, by which a person recognises the import.',
        sha256: 'SHA-256 of the file in base64; another file is refused.',
        ...fileDescriptions(),
      },
      example: { format: 'csv', bytes: 75_275, match: ['customerid'] },
    },
    responses: {
      201: {
        description:
          'The import awaits its file; or the file was the body, and the import is planned.',
        schema: ref('Import'),
        headers: { ...locationHeader(), ...planTagHeader() },
      },
      202: {
        ...workResponses('')[202],
        description: `The file was the body, and is being planned in the background, since it has more than ${MAX_ROWS_PLANNED_IN_CALL} rows, planning takes long, or the caller prefers so.`,
      },
    },
    errors: {
      422: ['The file cannot be read; code says why.', '/problems/unreadable-file'],
      429: `Too many requests, or ${MAX_WAITING_IMPORTS} imports await their files.`,
    },
    schemas: importSchemas(),
  });

/** A file has its options in the query, and JSON has them in itself. */
function optionsOfBody({ body }: { readonly body?: unknown }, sent: SentNames): Fault[] {
  if (body instanceof FileBody) {
    return sent.has('match')
      ? []
      : [
          {
            parameter: 'match',
            detail: 'is missing; it names the fields by which customers are found',
          },
        ];
  }
  return [...sent]
    .filter((parameter) => parameter in fileParameters)
    .map((parameter) => ({ parameter, detail: 'must be a member of the JSON body' }));
}
