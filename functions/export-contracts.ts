import * as v from 'valibot';
import { MAX_IDS_EXPORTED } from '../shared/domain/limits.ts';
import { type Contract, defineContract } from '../shared/http/contract.ts';
import { idsSchema } from '../shared/http/customer-schemas.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../shared/http/filter-parameters.ts';
import { count, header, type Json, object, ref, text, time } from '../shared/http/json-schema.ts';
import { oneOf, type RequestSchemas, single } from '../shared/http/validation.ts';
import { CUSTOMER_INDEX } from '../shared/storage/table.ts';

/** Query parameters with the options of a CSV file. */
const csvParameters = {
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

const csvDescriptions = () => ({
  delimiter: 'Separator of the cells; Excel in Swedish settings needs a semicolon.',
  bom: 'Whether the file starts with a byte order mark, by which Excel recognises UTF-8.',
});

const filtered = { query: filterParameters, rules: [filterRule] } satisfies RequestSchemas;
const byIds = { body: () => idsSchema(MAX_IDS_EXPORTED) } satisfies RequestSchemas;

/** Requests of the exports, by format: with filters, and by ids. */
export const exportRequests = {
  csv: { ...filtered, query: { ...csvParameters, ...filterParameters } },
  xml: filtered,
  csvByIds: { ...byIds, query: csvParameters },
  xmlByIds: { ...byIds, query: {} },
} satisfies Record<string, RequestSchemas>;

/** Returns the contract of the export with filters as CSV or XML. */
export function filteredExportContract(format: 'CSV' | 'XML'): Contract {
  const common = {
    method: 'GET',
    scope: 'customers:read',
    table: {
      actions: ['Query', 'BatchGetItem'],
      indexes: [CUSTOMER_INDEX.name],
      exportJobs: ['PutItem'],
    },
    files: 'write',
    startsExportJobs: true,
    summary: `Export all customers that meet the filters as ${format}`,
    responses: {
      ...fileResponses(format),
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
  return format === 'CSV'
    ? defineContract({
        ...common,
        path: '/customers/export/csv',
        request: exportRequests.csv,
        parameters: { ...csvDescriptions(), ...filterDescriptions() },
      })
    : defineContract({
        ...common,
        path: '/customers/export/xml',
        request: exportRequests.xml,
        parameters: filterDescriptions(),
      });
}

/** Returns the contract of the export of customers by id as CSV or XML. */
export function exportByIdsContract(format: 'CSV' | 'XML'): Contract {
  const common = {
    method: 'POST',
    scope: 'customers:read',
    table: { actions: ['BatchGetItem'] },
    files: 'write',
    summary: `Export customers by id as ${format}`,
    requestBody: {
      name: 'IdsToExport',
      description: 'Ids of customers, as numbers or as digits; duplicates count once.',
      example: [1, '2'],
    },
    responses: fileResponses(format),
    errors: { 404: 'None of these customers exists.' },
    schemas: exportSchemas(),
  } as const;
  return format === 'CSV'
    ? defineContract({
        ...common,
        path: '/customers/export/csv',
        request: exportRequests.csvByIds,
        parameters: csvDescriptions(),
      })
    : defineContract({
        ...common,
        path: '/customers/export/xml',
        request: exportRequests.xmlByIds,
        parameters: {},
      });
}

function fileResponses(format: 'CSV' | 'XML') {
  const mediaType = { CSV: 'text/csv', XML: 'application/xml' }[format];
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
