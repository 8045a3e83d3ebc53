import * as v from 'valibot';
import { FIELDS, type FieldName } from '../shared/domain/fields.ts';
import { CONCURRENT_EXPORTS, CONCURRENT_LONG_EXPORTS } from '../shared/domain/limits.ts';
import {
  count,
  header,
  type Json,
  object,
  oneOfBy,
  ref,
  text,
  time,
} from '../shared/http/json-schema.ts';
import { checked, commaSeparated, oneOf, single, suggestion } from '../shared/http/validation.ts';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES } from '../shared/storage/table.ts';

const EXPORT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Path parameter with the id of a long export. */
export const exportIdParameter = single(() =>
  v.pipe(
    v.string(),
    checked((text) => EXPORT_ID.test(text), 'must be the id of an export, a UUID', {
      format: 'uuid',
      pattern: EXPORT_ID.source,
    }),
  ),
);

const FIELD_NAMES: readonly FieldName[] = FIELDS.map(({ name }) => name);

/** Query parameters with the options of a file with columns. */
export const columnParameters = {
  columns: commaSeparated(() =>
    v.pipe(
      v.array(v.picklist(FIELD_NAMES, ({ input }) => unknownColumn(String(input)))),
      v.minLength(1),
      checked(
        (names) => new Set(names).size === names.length,
        ({ input }) => `names ${input.find((name, index) => input.indexOf(name) < index)} twice`,
        { uniqueItems: true },
      ),
    ),
  ),
  headers: single(() => oneOf(['api', 'sv']), 'api'),
};

/** Descriptions of {@link columnParameters} for the OpenAPI document. */
export const columnDescriptions = () => ({
  columns: 'Fields of the file, one a column, in this order. Default: all fields.',
  headers: 'Headings of the columns: the names of the fields in the API, or Swedish ones (sv).',
});

function unknownColumn(name: string): string {
  const known = suggestion(name, FIELD_NAMES) ?? `known are ${FIELD_NAMES.join(', ')}`;
  return `names ${name || 'nothing'}, which is no field of a customer; ${known}`;
}

/** Query parameters with the options of a CSV file. */
export const csvParameters = {
  ...columnParameters,
  delimiter: single(() => oneOf(['comma', 'semicolon']), 'comma'),
  bom: single(
    () =>
      v.pipe(
        oneOf(['true', 'false']),
        v.transform((word) => word === 'true'),
      ),
    false,
  ),
  formulas: single(() => oneOf(['escape', 'keep']), 'escape'),
};

/** Descriptions of {@link csvParameters} for the OpenAPI document. */
export const csvDescriptions = () => ({
  ...columnDescriptions(),
  delimiter: 'Separator of the cells; Excel in Swedish settings needs a semicolon.',
  formulas:
    'escape puts an apostrophe in front of a cell that a spreadsheet could evaluate as a formula; ' +
    'keep leaves all cells as they are, for programs. To undo escape, remove the first character ' +
    'of a cell that begins with one or more apostrophes, then white space or none, then one of ' +
    '= + - @, their full-width forms, tab, line feed or carriage return.',
  bom: 'Whether the file starts with a byte order mark, by which Excel recognises UTF-8.',
});

/** Returns what the contracts of exports with filters have in common. */
export function filteredExport(mediaType: string) {
  return {
    table: {
      actions: ['Query', 'BatchGetItem', 'GetItem'],
      indexes: [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES],
      exportJobs: ['PutItem', 'UpdateItem'],
    },
    files: 'write',
    startsExportJobs: true,
    environment: ['cursorSecret', 'changesEpoch'],
    responses: {
      ...fileResponses(mediaType),
      202: {
        description:
          'The export continues in the background. If the same one, by format, options and filters, ' +
          'runs already, this is its status.',
        schema: ref('RunningExport'),
        headers: {
          Location: header('Path at which to poll its status.'),
          'Retry-After': header('Seconds after which to poll.', true, { type: 'integer' }),
        },
      },
    },
    errors: {
      429:
        `Too many requests, or the merchant has ${CONCURRENT_EXPORTS} slow exports or ` +
        `${CONCURRENT_LONG_EXPORTS} long ones running.`,
    },
    schemas: exportSchemas(),
  } as const;
}

/** Returns what the contracts of exports by id have in common. */
export function exportByIds(mediaType: string) {
  return {
    table: { actions: ['Query', 'BatchGetItem', 'GetItem'], exportJobs: ['UpdateItem'] },
    files: 'write',
    environment: ['cursorSecret', 'changesEpoch'],
    requestBody: {
      name: 'IdsToExport',
      description: 'Ids of customers, as numbers or as digits; duplicates count once.',
      example: [1, '2'],
    },
    responses: fileResponses(mediaType),
    errors: {
      404: 'None of these customers exists.',
      429: `Too many requests, or the merchant has ${CONCURRENT_EXPORTS} slow exports running.`,
    },
    schemas: exportSchemas(),
  } as const;
}

const CHANGES_FROM =
  'Token of the changes since the customers were read, for `after` of GET /customers/changes.';

function fileResponses(mediaType: string) {
  return {
    200: { description: 'The file is ready.', schema: ref('ExportedFile') },
    303: {
      description:
        `The file is ready; for a caller whose Accept prefers ${mediaType}. The store refuses the ` +
        'URL with 400 if the request has Authorization as well. Clients that keep this header ' +
        "across a redirect to another host, such as wget, Python's urllib and Java's HttpClient, " +
        'fetch the url of the 200 without it.',
      headers: {
        Location: header('Presigned URL of the file, valid without a token.'),
        'Changes-From': header(CHANGES_FROM),
      },
    },
  };
}

/** Returns the named schemas of exports. */
export function exportSchemas(): Readonly<Record<string, Json>> {
  const file = {
    url: text({ format: 'uri', description: 'Presigned URL of the file, valid without a token.' }),
    expires: time({ description: 'When the URL expires.' }),
    filename: text({ description: 'Name under which the file is saved.' }),
    contentType: text({ description: "The file's Content-Type." }),
    count: count({ description: 'How many customers are in the file.' }),
    bytes: count({ description: 'Size of the file.' }),
  };
  const changesFrom = text({ description: CHANGES_FROM });
  const progress = (state: Json) => ({
    exportId: text({ format: 'uuid', description: 'Id of the export, as in the path.' }),
    format: text({ enum: ['csv', 'xlsx', 'xml', 'jsonl'], description: 'Format of the file.' }),
    state: text({ description: 'State of the export.', ...state }),
    rowsDone: count({ description: 'How many customers are in the file so far.' }),
    rowsExpected: count({ description: 'Estimate of how many there will be.' }),
    started: time({ description: 'Time at which the export was started.' }),
    updated: time({ description: 'Time of the last progress, or of the end.' }),
  });
  const reason = text({ description: 'Why it failed.' });
  const failed = { ...progress({ const: 'failed' }), reason };
  const listed = progress({ enum: ['running', 'ready', 'canceled'] });
  return {
    ExportedFile: object({ ...file, changesFrom }),
    Export: oneOfBy('state', {
      running: 'RunningExport',
      ready: 'ReadyExport',
      failed: 'FailedExport',
      canceled: 'CanceledExport',
    }),
    ListedExport: {
      oneOf: [object(listed), ref('FailedExport')],
      description: 'A long export, without the members of its file.',
    },
    RunningExport: object({ ...progress({ const: 'running' }), changesFrom }),
    ReadyExport: object({ ...progress({ const: 'ready' }), ...file, changesFrom }),
    FailedExport: object(failed),
    CanceledExport: object(progress({ const: 'canceled' })),
  };
}
