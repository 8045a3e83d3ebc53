import * as v from 'valibot';
import { count, header, type Json, object, ref, text, time } from '../shared/http/json-schema.ts';
import { oneOf, single } from '../shared/http/validation.ts';
import { CUSTOMER_INDEX } from '../shared/storage/table.ts';

/** Query parameters with the options of a CSV file. */
export const csvParameters = {
  delimiter: single(() => oneOf(['comma', 'semicolon']), 'comma'),
  bom: single(
    () =>
      v.pipe(
        oneOf(['true', 'false']),
        v.transform((word) => word === 'true'),
      ),
    false,
  ),
};

/** Descriptions of {@link csvParameters} for the OpenAPI document. */
export const csvDescriptions = () => ({
  delimiter: 'Separator of the cells; Excel in Swedish settings needs a semicolon.',
  bom: 'Whether the file starts with a byte order mark, by which Excel recognises UTF-8.',
});

/** Returns what the contracts of exports with filters have in common. */
export function filteredExport(mediaType: string) {
  return {
    table: {
      actions: ['Query', 'BatchGetItem'],
      indexes: [CUSTOMER_INDEX.name],
      exportJobs: ['PutItem'],
    },
    files: 'write',
    startsExportJobs: true,
    responses: {
      ...fileResponses(mediaType),
      202: {
        description: 'The export continues in the background.',
        schema: ref('RunningExport'),
        headers: {
          Location: header('Path at which to poll its status.'),
          'Retry-After': header('Seconds after which to poll.', true, { type: 'integer' }),
        },
      },
    },
    schemas: exportSchemas(),
  } as const;
}

/** Returns what the contracts of exports by id have in common. */
export function exportByIds(mediaType: string) {
  return {
    table: { actions: ['BatchGetItem'] },
    files: 'write',
    requestBody: {
      name: 'IdsToExport',
      description: 'Ids of customers, as numbers or as digits; duplicates count once.',
      example: [1, '2'],
    },
    responses: fileResponses(mediaType),
    errors: { 404: 'None of these customers exists.' },
    schemas: exportSchemas(),
  } as const;
}

function fileResponses(mediaType: string) {
  return {
    200: { description: 'The file is ready.', schema: ref('ExportedFile') },
    303: {
      description: `The file is ready; for a caller whose Accept prefers ${mediaType}.`,
      headers: { Location: header('Presigned URL of the file, valid without a token.') },
    },
  };
}

/** Returns the named schemas of exports. */
export function exportSchemas(): Readonly<Record<string, Json>> {
  const file = {
    url: text({ format: 'uri', description: 'Presigned URL of the file, valid without a token.' }),
    expires: time({ description: 'When the URL expires.' }),
    filename: text(),
    contentType: text({ description: "The file's Content-Type." }),
    count: count({ description: 'How many customers are in the file.' }),
    bytes: count(),
  };
  const progress = (state: 'running' | 'ready' | 'failed') => ({
    state: { const: state },
    rowsDone: count({ description: 'How many customers are in the file so far.' }),
    rowsExpected: count({ description: 'Estimate of how many there will be.' }),
    started: time(),
    updated: time({ description: 'Time of the last progress.' }),
  });
  return {
    ExportedFile: object(file),
    Export: { oneOf: ['RunningExport', 'ReadyExport', 'FailedExport'].map(ref) },
    RunningExport: object(progress('running')),
    ReadyExport: object({ ...progress('ready'), ...file }),
    FailedExport: object({
      ...progress('failed'),
      reason: text({ description: 'Why it failed.' }),
    }),
  };
}
