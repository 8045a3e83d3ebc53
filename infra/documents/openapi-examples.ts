import { STATUS_CODES } from 'node:http';
import { FIELD_DESCRIPTIONS } from '../../shared/domain/field-descriptions.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import type { ResponseDescription } from '../../shared/http/contract.ts';
import type { Json } from '../../shared/http/json-schema.ts';
import { PROBLEM_TITLES, type ProblemType } from '../../shared/http/problem-details.ts';
import { GATEWAY_MESSAGES } from '../gateway-messages.ts';

/** The customer of the examples: the fields that each response has. */
const CUSTOMER = Object.fromEntries(
  FIELDS.filter(({ always }) => always).map(({ name }) => [name, FIELD_DESCRIPTIONS[name].example]),
);

const TOKEN = 'hA0XyC0cTgGkUeqkZ1Yw8jAuNDIuMC4xNzY5ODUwMDAxMDIw';

const FILE = {
  url: 'https://exports.s3.eu-north-1.amazonaws.com/customers-2026-11-25.csv?X-Amz-Signature=5d41402a',
  expires: '2026-11-25T12:15:00.000Z',
  filename: 'customers-2026-11-25.csv',
  contentType: 'text/csv; charset=utf-8; header=present',
  count: 300,
  bytes: 91_340,
  changesFrom: TOKEN,
};

const PROGRESS = {
  exportId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  format: 'csv',
  rowsExpected: 250_000,
  started: '2026-11-25T12:00:00.000Z',
  updated: '2026-11-25T12:01:30.000Z',
};

const CHANGES = {
  changes: [
    {
      change: 'updated',
      mexcParamvaluesetsid: 1000,
      time: '2026-01-31T09:00:00.412Z',
      customer: { ...CUSTOMER },
      etag: '"3"',
    },
    { change: 'deleted', mexcParamvaluesetsid: 17, time: '2026-01-31T09:00:01.020Z' },
  ],
  next: TOKEN,
  more: false,
};

const DIGEST = {
  from: 1,
  to: 1_250,
  count: 1_249,
  parts: [
    {
      from: 1,
      to: 1_250,
      count: 1_249,
      hash: '8881f1efa975e68c78eace31ebedb8b9db30e16716c769da4354c021721a22a0',
    },
  ],
  next: null,
  changesFrom: TOKEN,
};

const UPLOAD = {
  method: 'PUT',
  url: 'https://exports.s3.eu-north-1.amazonaws.com/imports/upload/file?X-Amz-Signature=5d41402a',
  headers: {},
  expires: '2026-11-29T12:15:00.000Z',
};

const IMPORT_OPTIONS = {
  format: 'csv',
  match: ['customerid'],
  mode: 'upsert',
  empty: 'keep',
  unkeyed: 'invalid',
};

const IMPORT_ROW = {
  row: 17,
  outcome: 'update',
  id: 1000,
  version: 3,
  name: 'Gläntans Bageri AB',
  customerid: '10301',
  changes: { email: ['faktura@glantan.example', 'faktura@glantans-bageri.example'] },
  result: 'updated',
};

const IMPORT = {
  importId: '0199e5a1-73d2-7c4e-9a1b-3f5d2c8e7a60',
  state: 'planned',
  options: IMPORT_OPTIONS,
  filename: 'kunder.csv',
  bytes: 75_275,
  sha256: 'kq3cWnXCZ6YqdJQjlCVnBYzjDBV8AzqM9SkYp2oLZ1I=',
  encoding: 'windows-1252',
  delimiter: ';',
  unknownColumns: ['Säljare'],
  sheetsNotRead: [],
  warnings: [],
  plan: 'p-k2PzY0hT1m8sWcVdQ5nR7A',
  rows: 100,
  counts: { create: 12, update: 34, unchanged: 54, ambiguous: 0, invalid: 0, skipped: 0 },
  rowsDone: 100,
  started: '2026-11-29T12:00:00.000Z',
  updated: '2026-11-29T12:00:02.000Z',
  expires: '2026-11-30T12:00:02.000Z',
};

/** Examples of responses, by the name of their schema. */
const EXAMPLES: Json = {
  Customer: CUSTOMER,
  CreationResult: { status: 201, etag: '"1"', customer: CUSTOMER },
  Count: { count: 7 },
  Changes: CHANGES,
  Change: CHANGES.changes[0],
  Digest: DIGEST,
  DigestPart: DIGEST.parts[0],
  Removed: { result: 'Removed', mexcParamvaluesetsid: 1000 },
  RemovedCount: { result: 'Removed', count: 2 },
  RegisterEntry: {
    firstname: '',
    lastname: '',
    company: 'Gläntans Bageri AB',
    street: 'Storgatan 1',
    zip: 11120,
    city: 'Stockholm',
    country: 'SE',
    phone: '46701740605',
    email: 'faktura@glantans-bageri.example',
  },
  ExportedFile: FILE,
  RunningExport: { state: 'running', rowsDone: 120_000, ...PROGRESS, changesFrom: TOKEN },
  ReadyExport: { state: 'ready', rowsDone: 249_871, ...PROGRESS, ...FILE, count: 249_871 },
  CanceledExport: { state: 'canceled', rowsDone: 120_000, ...PROGRESS },
  ListedExport: { state: 'running', rowsDone: 120_000, ...PROGRESS },
  Import: IMPORT,
  ImportOptions: IMPORT_OPTIONS,
  Upload: UPLOAD,
  RejectedRows: {
    url: FILE.url.replace('customers-2026-11-25', 'errors'),
    expires: FILE.expires,
    filename: 'errors.csv',
    contentType: FILE.contentType,
    count: 9,
  },
  ImportRows: { rows: [IMPORT_ROW] },
  ImportRow: IMPORT_ROW,
  FailedExport: { state: 'failed', rowsDone: 120_000, ...PROGRESS, reason: 'TimeoutError' },
};

/** Examples of members that the examples of responses do not have, or that requests have. */
const MEMBERS: Readonly<Record<string, Json>> = {
  NewImport: { ...IMPORT, ...IMPORT_OPTIONS, delimiter: 'semicolon', sheet: 'Kunder' },
  ImportLeaveOut: { leaveOut: ['ambiguous', 'invalid'] },
  Import: {
    ...IMPORT,
    leaveOut: ['invalid'],
    results: {
      created: 12,
      updated: 33,
      unchanged: 54,
      changedMeanwhile: 1,
      unclear: 0,
      leftOut: 0,
    },
    undone: { removed: 12, restored: 32, changedMeanwhile: 1, unclear: 0 },
    reason: { code: 'noHeader', detail: 'The file is empty' },
    upload: UPLOAD,
  },
  ImportOptions: { ...IMPORT_OPTIONS, sheet: 'Kunder' },
  ImportWarning: {
    code: 'sameFileApplied',
    detail: 'The same file was applied by another import.',
    import: IMPORT.importId,
  },
  ImportReason: { code: 'noHeader', detail: 'The file is empty' },
  ImportRows: { rows: [IMPORT_ROW], next: 117 },
  ImportRow: {
    ...IMPORT_ROW,
    fields: { customerid: '10303', name: 'Ask AB' },
    key: { field: 'customerid', value: '10303' },
    code: 'repeated',
    detail: 'rows 17 and 19 have customerid 10303; keep one of them',
    params: { field: 'customerid', value: '10303', rows: '17, 19' },
    candidates: [1000, 1001],
    errors: [{ column: 'Postnummer', field: 'postcode', code: 'tooLong', detail: 'is too long' }],
  },
  RowFault: {
    column: 'Postnummer',
    field: 'postcode',
    code: 'tooLong',
    detail: 'must have at most 255 characters',
    params: { maxLength: 255 },
  },
};

/** Returns the `example` or the `examples` of a response with a named schema, or a list of it. */
export function responseExamples(schema: Json, schemas: Readonly<Record<string, Json>>): Json {
  if (schema.type === 'array') {
    const { example } = responseExamples(schema.items as Json, schemas);
    return example === undefined ? {} : { example: [example] };
  }
  const name = schemaName(schema);
  if (Object.hasOwn(EXAMPLES, name)) return { example: EXAMPLES[name] };
  const alternatives = (schemas[name]?.oneOf ?? []) as readonly Json[];
  if (alternatives.length === 0) return {};
  const examples = alternatives
    .map(schemaName)
    .map((alternative) => [alternative, { value: EXAMPLES[alternative] }]);
  return { examples: Object.fromEntries(examples) };
}

/**
 * Returns a named schema with an example of each property that has none: that of its example.
 *
 * @param examples of schemas, by their name, that contracts give.
 */
export function withExamples(name: string, schema: Json, examples: Json): Json {
  const known = MEMBERS[name] ?? EXAMPLES[name] ?? ERROR_MEMBERS[name];
  const example = (known ?? examples[name]) as Json | undefined;
  if (!example || !schema.properties) return schema;
  const properties = Object.entries(schema.properties as Record<string, Json>).map(
    ([property, its]) => [
      property,
      Object.hasOwn(example, property) ? { examples: [example[property]], ...its } : its,
    ],
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** An example of each member of an error. */
const ERROR_MEMBERS: Json = {
  Problem: {
    ...problemExample('400', ''),
    count: 2,
    ids: [1000, 1001],
    code: 'noHeader',
    importId: IMPORT.importId,
    counts: IMPORT.counts,
  },
  Fault: {
    pointer: '/companyno',
    parameter: 'limit',
    header: 'Idempotency-Key',
    detail: 'must be an integer from 1 to 1000',
  },
  GatewayMessage: gatewayExample('401'),
};

/** Returns the examples of responses that contracts give, by the name of their schema. */
export function contractExamples(responses: readonly ResponseDescription[]): Json {
  return Object.fromEntries(
    responses.flatMap(({ schema, example }) =>
      schema?.$ref && example ? [[schemaName(schema), example]] : [],
    ),
  );
}

/** Returns an example of an error that the API responds with. */
export function problemExample(status: string, detail: string, type?: ProblemType): Json {
  const title = type ? PROBLEM_TITLES[type] : STATUS_CODES[status];
  const problem = { type: type ?? 'about:blank', title, status: Number(status) };
  const requestId = 'Kp1rXg2pDvPBzJw=';
  if (status !== '400') return { detail, ...problem, requestId };
  const fault = { parameter: 'limit', detail: 'must be an integer from 1 to 1000' };
  return {
    detail: `The request is not valid: parameter ${fault.parameter} ${fault.detail}.`,
    ...problem,
    errors: [fault],
    requestId,
  };
}

/** Returns an example of an error that API Gateway responds with. */
export function gatewayExample(status: string): Json {
  const messages: Readonly<Record<string, string>> = GATEWAY_MESSAGES;
  return { message: messages[status] };
}

function schemaName({ $ref }: Json): string {
  return String($ref).replace(/.*\//, '');
}
