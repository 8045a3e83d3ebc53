import type { Customer } from '../domain/customer.ts';
import { FIELDS, isWritable } from '../domain/fields.ts';
import type { Column, RowFormat } from './row-format.ts';

/** A customer in a response: every documented field, in order. */
export type CustomerJson = Record<string, string | number>;

/**
 * Returns a customer as the API responds with it: an unset field is an empty string, or 0.
 *
 * @param names of `READABLE_NAMES`; the id is always there. Default: the fields.
 */
export function toCustomerJson(
  { system, fields, version, updated }: Customer,
  names?: ReadonlySet<string>,
): CustomerJson {
  const json: CustomerJson = {};
  for (const [index, field] of FIELDS.entries()) {
    if (names && index > 0 && !names.has(field.name)) continue;
    const value = isWritable(field) ? fields[field.name] : system[field.name];
    if (field.always || value) json[field.name] = value ?? field.unset;
  }
  if (names?.has('version')) json.version = version;
  if (names?.has('updated')) json.updated = updated;
  return json;
}

const JSON_COLUMNS: readonly Column[] = FIELDS.map(({ name, type, always, unset }, index) => {
  const open = `${index === 0 ? '' : ','}"${name}":`;
  const quote = type === 'integer' ? '' : '"';
  return {
    of: name,
    open: open + quote,
    close: quote,
    unset: always ? open + JSON.stringify(unset) : '',
  };
});

const VERSION: Column = { of: 'version', open: ',"version":', close: '', unset: '' };
const UPDATED: Column = {
  of: 'updated',
  open: ',"updated":"',
  close: '"',
  unset: '',
  cell: (ms) => new Date(Number(ms)).toISOString(),
};

/** Customers as JSON objects, each followed by a comma. */
export const JSON_ROWS: RowFormat = {
  rowStart: '{',
  rowEnd: '},',
  columns: JSON_COLUMNS,
  cell: (text) => JSON.stringify(text).slice(1, -1),
  special: { anywhere: [], atStart: [] },
  isJson: true,
};

/**
 * Returns customers as JSON objects with the members that a caller chose, each followed by a comma.
 *
 * @param names of `READABLE_NAMES`; the id is always there. Default: the fields.
 */
export function jsonRows(names?: ReadonlySet<string>): RowFormat {
  if (!names) return JSON_ROWS;
  const columns = [...JSON_COLUMNS, VERSION, UPDATED];
  return {
    ...JSON_ROWS,
    columns: columns.filter(({ of }, index) => index === 0 || names.has(of)),
  };
}

/** Of each customer the time of its last change, ISO 8601. */
export const UPDATED_ROWS: RowFormat = {
  ...JSON_ROWS,
  rowStart: '',
  rowEnd: '',
  columns: [{ ...UPDATED, open: '', close: '' }],
};

/**
 * Returns customers as members of a JSON object: `"customer":{…},"etag":"\\"1\\""`.
 *
 * @param names as those of {@link jsonRows}.
 */
export function jsonMembers(names?: ReadonlySet<string>): RowFormat {
  const format = jsonRows(names);
  const etag: Column = { of: 'version', open: '},"etag":"\\"', close: '\\""', unset: '' };
  return {
    ...format,
    rowStart: '"customer":{',
    columns: [...format.columns, etag],
    rowEnd: '',
  };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Returns the bytes of JSON in a response: Lambda sends it as a string in JSON, which escapes quotes
 * and backslashes once more.
 */
export function escapedBytes(json: Buffer): number {
  let bytes = json.length;
  // An iterator over a buffer takes more than twice as long.
  for (let index = 0; index < json.length; index += 1) {
    if (json[index] === QUOTE || json[index] === BACKSLASH) bytes += 1;
  }
  return bytes;
}
