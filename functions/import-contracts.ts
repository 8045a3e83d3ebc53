import * as v from 'valibot';
import { hasAtMost } from '../shared/domain/field-text.ts';
import {
  IMPORT_FORMATS,
  MATCH_FIELDS,
  OUTCOMES,
  RESULTS,
  UNDO_RESULTS,
} from '../shared/domain/import.ts';
import { IMPORT_STATES } from '../shared/domain/import-job.ts';
import { MAX_IMPORT_BYTES } from '../shared/domain/limits.ts';
import type { ErrorDescription, ParameterDescription } from '../shared/http/contract.ts';
import {
  count,
  customerId,
  header,
  type Json,
  object,
  ref,
  text,
  time,
} from '../shared/http/json-schema.ts';
import { uuidParameter } from '../shared/http/uuid-parameter.ts';
import {
  anyOf,
  checked,
  closedObject,
  commaSeparated,
  instead,
  oneOf,
  single,
} from '../shared/http/validation.ts';
import { LOOK_UP_INDEXES } from '../shared/storage/table.ts';

/** Path parameter with the id of an import. */
export const importIdParameter = uuidParameter('an import');
export const IMPORT_ID_DESCRIPTION: ParameterDescription = [
  'Id of the import, `importId` of the response that created it.',
  '0199e5a1-73d2-7c4e-9a1b-3f5d2c8e7a60',
];

/** Header by which a caller asks for work in the background (RFC 7240, section 4.1). */
export const preferParameter = single(() => v.string());
export const PREFER_DESCRIPTION: ParameterDescription = [
  '`respond-async` does the work in the background, also if it is little (RFC 7240).',
  'respond-async',
];

/** Header with the tag of the plan that the caller has seen. */
export const planTagParameter = single(() => v.string());
export const PLAN_TAG_DESCRIPTION: ParameterDescription = [
  'Tag of the plan in double quotes, as in ETag; required.',
  '"p-k2PzY0hT1m8sWcVdQ5nR7A"',
];

/** Media types of the files that are imported, each with the name of its format. */
export const FILE_TYPES = {
  'text/csv': 'csv',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/x-ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
} as const;

const MODES = ['upsert', 'create', 'update'] as const;
const ENCODINGS = ['auto', 'utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
const DELIMITERS = ['auto', 'comma', 'semicolon', 'tab'] as const;
/** Maximum characters (Unicode code points) of the name of a file or sheet. */
const MAX_NAME_LENGTH = 255;
const SHA256 = /^[A-Za-z0-9+/]{43}=$/;
const SHA256_MESSAGE = "must be the file's SHA-256 in base64";

function matchSchema() {
  return v.pipe(
    v.array(v.picklist(MATCH_FIELDS, instead(`must be ${anyOf(MATCH_FIELDS)}`))),
    v.minLength(1, `must name one or more of ${MATCH_FIELDS.join(', ')}`),
    checked((names) => new Set(names).size === names.length, 'must not name a field twice', {
      uniqueItems: true,
    }),
  );
}

/** Returns the schema of the name of a file or a sheet. */
function nameSchema() {
  return v.pipe(
    v.string('must be a text'),
    checked(
      (text) => hasAtMost(MAX_NAME_LENGTH, text),
      `must have at most ${MAX_NAME_LENGTH} characters`,
      { maxLength: MAX_NAME_LENGTH },
    ),
  );
}

/** Query parameters with the options of a file that is the body. */
export const fileParameters = {
  match: commaSeparated(matchSchema),
  mode: single(() => oneOf(MODES), 'upsert'),
  empty: single(() => oneOf(['keep', 'clear']), 'keep'),
  unkeyed: single(() => oneOf(['invalid', 'create']), 'invalid'),
  encoding: single(() => oneOf(ENCODINGS), 'auto'),
  delimiter: single(() => oneOf(DELIMITERS), 'auto'),
  sheet: single(nameSchema),
  formulas: single(() => oneOf(['guarded', 'keep']), 'guarded'),
};

/** Descriptions of the options of a file: as parameters, and as members of the JSON body. */
export const fileDescriptions = () => ({
  match:
    'Fields by which the customer of a row is found, in order; the first that the row fills decides.',
  mode: '`upsert` creates and updates customers; `create` skips rows of customers that exist, `update` those of others.',
  empty: 'Whether an empty cell keeps the field or clears it. A field without a column is kept.',
  unkeyed: 'Whether a row that fills none of the match fields is invalid, or creates a customer.',
  encoding: 'Encoding of a CSV file; auto detects it.',
  delimiter: 'Separator of the cells of a CSV file; auto detects it.',
  sheet: 'Name of the sheet of an XLSX file. Default: the first with rows.',
  formulas:
    'Of CSV. `guarded` removes the apostrophe that an export puts in front of a formula, and reports ' +
    'errors of spreadsheets such as #N/A; `keep` takes cells as they are.',
});

/** Descriptions and examples of {@link fileParameters} for the OpenAPI document. */
export const fileParameterDescriptions = () => {
  const texts = fileDescriptions();
  return {
    match: [`${texts.match} Required if the body is a file.`, ['customerid']],
    mode: [texts.mode, 'update'],
    empty: [texts.empty, 'clear'],
    unkeyed: [texts.unkeyed, 'create'],
    encoding: [texts.encoding, 'windows-1252'],
    delimiter: [texts.delimiter, 'semicolon'],
    sheet: [texts.sheet, 'Kunder'],
    formulas: [texts.formulas, 'keep'],
  } satisfies Record<keyof typeof fileParameters, ParameterDescription>;
};

/** Returns the schema of the JSON body of a new import. */
export function newImportSchema() {
  const entries = {
    format: oneOf(IMPORT_FORMATS),
    bytes: v.pipe(
      v.number(BYTES_MESSAGE),
      v.integer(BYTES_MESSAGE),
      v.minValue(1, BYTES_MESSAGE),
      v.maxValue(MAX_IMPORT_BYTES, BYTES_MESSAGE),
    ),
    filename: v.exactOptional(nameSchema()),
    sha256: v.exactOptional(v.pipe(v.string(SHA256_MESSAGE), v.regex(SHA256, SHA256_MESSAGE))),
    match: v.pipe(v.custom<unknown[]>(Array.isArray, 'must be an array of fields'), matchSchema()),
    mode: v.exactOptional(oneOf(MODES), 'upsert'),
    empty: v.exactOptional(oneOf(['keep', 'clear']), 'keep'),
    unkeyed: v.exactOptional(oneOf(['invalid', 'create']), 'invalid'),
    encoding: v.exactOptional(oneOf(ENCODINGS), 'auto'),
    delimiter: v.exactOptional(oneOf(DELIMITERS), 'auto'),
    sheet: v.exactOptional(nameSchema()),
    formulas: v.exactOptional(oneOf(['guarded', 'keep']), 'guarded'),
  };
  return closedObject(entries, membersOf(entries), ({ received, expected }) =>
    expected === 'Object'
      ? `must be an object, not ${received}`
      : 'is missing; format, bytes and match are required',
  );
}

const BYTES_MESSAGE = `must be the file's size, an integer from 1 to ${MAX_IMPORT_BYTES}`;

/** Returns the words for the members of a body. */
function membersOf(entries: object) {
  const hint = `known are ${Object.keys(entries).join(', ')}`;
  return { one: 'a member of the body', many: 'members of the body', hint };
}

/** What a function may do that plans imports while their callers wait. */
export const planning = {
  table: {
    actions: ['GetItem', 'Query', 'BatchGetItem'],
    indexes: [LOOK_UP_INDEXES.customerid.name, LOOK_UP_INDEXES.companyno.name],
    importJobs: ['UpdateItem'],
  },
  importFiles: {
    upload: ['GetObject', 'DeleteObject'],
    plan: ['GetObject', 'PutObject', 'DeleteObject'],
  },
  readsAll: true,
  starts: 'importPlanner',
} as const;

/** What a function may do that applies and undoes imports while their callers wait. */
export const applying = {
  table: {
    actions: ['GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
    indexes: [LOOK_UP_INDEXES.customerid.name, LOOK_UP_INDEXES.companyno.name],
  },
  readsAll: true,
  starts: 'importWorker',
} as const;

/** Returns the schema of the body of a call that applies a plan. */
export function leaveOutSchema() {
  const outcomes = ['ambiguous', 'invalid'] as const;
  const leaveOut = v.exactOptional(
    v.pipe(
      v.custom<unknown[]>(Array.isArray, `must be an array of ${anyOf(outcomes)}`),
      v.array(v.picklist(outcomes, instead(`must be ${anyOf(outcomes)}`))),
    ),
  );
  const entries = { leaveOut };
  return v.optional(
    closedObject(
      entries,
      membersOf(entries),
      ({ received }) => `must be an object, not ${received}`,
    ),
  );
}

/** Returns the responses of work that is done while the caller waits, or in the background. */
export function workResponses(done: string) {
  return {
    200: { description: done, schema: ref('Import'), headers: planTagHeader() },
    202: {
      description: 'The work is being done in the background.',
      schema: ref('Import'),
      headers: {
        ...locationHeader(),
        'Retry-After': header('Seconds after which to poll.', true, { type: 'integer' }),
      },
    },
  };
}

/** Returns the headers of an import's status. */
export function statusHeaders() {
  const description = 'Seconds after which to poll, while work is being done.';
  return {
    ...planTagHeader(),
    'Retry-After': header(description, false, { type: 'integer' }),
  };
}

/** Returns the `ETag` header of an import that has a plan. */
export function planTagHeader() {
  return { ETag: header('Tag of the plan, if there is one.', false) };
}

export function locationHeader() {
  return { Location: header('Path of the import.') };
}

export const NOT_FOUND: ErrorDescription = [
  'The merchant has no such import, or it is no longer kept.',
  '/problems/import-not-found',
];

/** Returns the named schemas of imports. */
export function importSchemas(): Readonly<Record<string, Json>> {
  const options = fileDescriptions();
  const counts = (names: readonly string[], of: string, description: string) => ({
    ...object(
      Object.fromEntries(
        names.map((name) => [name, count({ description: `Rows with the ${of} ${name}.` })]),
      ),
    ),
    description,
  });
  const faultParams = () => ({
    type: 'object',
    additionalProperties: { type: ['string', 'number'] },
    description: 'Values that the detail names, for translations.',
  });
  const list = (description: string) => ({ type: 'array', items: text(), description });
  const status = {
    importId: text({ format: 'uuid', description: 'Id of the import, as in the path.' }),
    state: text({
      enum: IMPORT_STATES,
      description:
        'awaitingFile, reading, planned, applying, applied, undoing, undone; failed if the file ' +
        'cannot be read; stopped if applying or undoing was interrupted; canceled if the import was ' +
        'deleted; expired if its file or plan is no longer kept.',
    }),
    options: { ...ref('ImportOptions'), description: 'What the import was created with.' },
    filename: text({ description: 'Name of the file, as it was sent.' }),
    bytes: count({ description: 'Size of the file.' }),
    sha256: text({ description: 'SHA-256 of the file in base64.' }),
    encoding: text({ description: 'Encoding in which a CSV file was read.' }),
    delimiter: text({ description: 'Separator of the cells of a CSV file.' }),
    unknownColumns: list('Headings that name no field, whose cells are not read.'),
    sheetsNotRead: list('Sheets of an XLSX file that are not read.'),
    warnings: {
      type: 'array',
      items: ref('ImportWarning'),
      description: 'What the sender should check in the file.',
    },
    plan: text({ description: 'Tag of the plan, for If-Match; as in ETag, without quotes.' }),
    rows: count({ description: 'Rows of the file.' }),
    counts: counts(OUTCOMES, 'outcome', 'How many rows have each outcome; they add up to rows.'),
    rowsDone: count({ description: 'Rows that are read, applied or undone so far.' }),
    leaveOut: list('Outcomes whose rows were left out.'),
    results: counts(
      RESULTS,
      'result',
      'How many rows have each result so far; in the end they add up to rows.',
    ),
    undone: counts(
      UNDO_RESULTS,
      'result of undoing',
      'How many applied rows have each result of undoing so far.',
    ),
    started: time({ description: 'Time at which the import was created.' }),
    updated: time({ description: 'Time of the last progress.' }),
    expires: time({
      description: 'Until when the file can be sent, the plan applied, or the import undone.',
    }),
    reason: { ...ref('ImportReason'), description: 'Why it failed or stopped.' },
  };
  const always = ['importId', 'state', 'options', 'bytes', 'rowsDone', 'started', 'updated'];
  return {
    Import: {
      ...object(
        {
          ...status,
          upload: { ...ref('Upload'), description: 'How the file is sent, while it is awaited.' },
        },
        always,
      ),
      description: 'An import; members that are not known yet are left out.',
    },
    Upload: {
      ...object({
        method: text({ const: 'PUT', description: 'Method of the request.' }),
        url: text({ format: 'uri', description: 'Presigned URL, valid without a token.' }),
        headers: {
          type: 'object',
          additionalProperties: text(),
          description: 'Headers that the request must have, besides Content-Length.',
        },
        expires: time({ description: 'When the URL expires; GET the import for a new one.' }),
      }),
      description: 'The request by which the file is sent, while the import awaits it.',
    },
    ImportOptions: {
      ...object(
        {
          format: text({ enum: IMPORT_FORMATS, description: 'Format of the file.' }),
          match: {
            type: 'array',
            items: text({ enum: MATCH_FIELDS }),
            description: 'Match fields.',
          },
          mode: text({ enum: MODES, description: options.mode }),
          empty: text({ enum: ['keep', 'clear'], description: options.empty }),
          unkeyed: text({ enum: ['invalid', 'create'], description: options.unkeyed }),
          encoding: text({ enum: ENCODINGS, description: options.encoding }),
          delimiter: text({ enum: DELIMITERS, description: options.delimiter }),
          sheet: text({ description: 'Name of the sheet.' }),
          formulas: text({ enum: ['guarded', 'keep'], description: options.formulas }),
        },
        ['format', 'match', 'mode', 'empty', 'unkeyed'],
      ),
      description: 'How a file is read, and what becomes of its rows.',
    },
    ImportWarning: {
      ...object(
        {
          code: text({
            examples: ['sameFileApplied'],
            description: 'What to check, for programs.',
          }),
          detail: text({ description: 'The same in English.' }),
          import: text({ description: 'Id of the import that it is about.' }),
        },
        ['code', 'detail'],
      ),
      description: 'Something to check in a file whose rows can be read.',
    },
    ImportReason: {
      ...object({
        code: text({ examples: ['noHeader'], description: 'What is wrong, for programs.' }),
        detail: text({ description: 'The same in English.' }),
      }),
      description: 'Why an import failed or stopped.',
    },
    RejectedRows: {
      ...object({
        url: text({
          format: 'uri',
          description: 'Presigned URL of the file, valid without a token.',
        }),
        expires: time({ description: 'When the URL expires.' }),
        filename: text({ description: 'Name under which the file is saved.' }),
        contentType: text({ description: "The file's Content-Type." }),
        count: count({ description: 'Rows in the file.' }),
      }),
      description: 'A file of rows that are not imported.',
    },
    ImportRows: object(
      {
        rows: { type: 'array', items: ref('ImportRow'), description: 'In the order of the file.' },
        next: count({ description: 'after of the next page; left out on the last one.' }),
      },
      ['rows'],
    ),
    ImportRow: {
      ...object(
        {
          row: count({
            description: 'Line of the file, row of the sheet, or number of the customer.',
          }),
          outcome: text({ enum: OUTCOMES, description: 'What is to become of the row.' }),
          id: customerId({ description: "The customer's id; of a new one once it is created." }),
          version: count({ description: 'Version of the customer that the plan saw.' }),
          changes: {
            type: 'object',
            additionalProperties: {
              type: 'array',
              items: text(),
              minItems: 2,
              maxItems: 2,
            },
            description: 'The fields that change: their texts before and after.',
          },
          fields: {
            type: 'object',
            additionalProperties: text(),
            description: 'The fields of a new customer.',
          },
          key: {
            ...object({
              field: text({ enum: MATCH_FIELDS, description: 'The field.' }),
              value: text({ description: 'Its text.' }),
            }),
            description: 'The field and text by which no customer was found.',
          },
          name: text({
            description: 'Name of the customer; as sent, if the row is not imported.',
          }),
          customerid: text({
            description: 'customerid of the customer; as sent, if the row is not imported.',
          }),
          code: text({ description: 'Why a row is ambiguous or skipped, for programs.' }),
          detail: text({ description: 'The same in English.' }),
          params: faultParams(),
          candidates: {
            type: 'array',
            items: customerId(),
            description: 'Ids of the customers that an ambiguous row may mean.',
          },
          errors: {
            type: 'array',
            items: ref('RowFault'),
            description: 'What is wrong with the row.',
          },
          result: text({ enum: RESULTS, description: 'What applying did with the row.' }),
          undone: text({ enum: UNDO_RESULTS, description: 'What undoing did with the row.' }),
        },
        ['row', 'outcome'],
      ),
      description: 'A row of a file: its outcome, and its results once it is applied and undone.',
    },
    RowFault: {
      ...object(
        {
          column: text({ description: 'Heading of the column, as in the file.' }),
          field: text({ description: 'The field.' }),
          code: text({ examples: ['tooLong'], description: 'What is wrong, for programs.' }),
          detail: text({ description: 'The same in English.' }),
          params: faultParams(),
        },
        ['code', 'detail'],
      ),
      description: 'Something wrong in a row.',
    },
  };
}
