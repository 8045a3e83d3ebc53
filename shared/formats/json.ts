import type { Customer } from '../domain/customer.ts';
import { FIELDS, isWritable } from '../domain/fields.ts';
import type { RowFormat } from './row-format.ts';

/** A customer in a response: every documented field, in order. */
export type CustomerJson = Record<string, string | number>;

/** Returns a customer as the API responds with it: an unset field is an empty string, or 0. */
export function toCustomerJson({ system, fields }: Customer): CustomerJson {
  const json: CustomerJson = {};
  for (const field of FIELDS) {
    const value = isWritable(field) ? fields[field.name] : system[field.name];
    if (field.always || value) json[field.name] = value ?? field.unset;
  }
  return json;
}

/** Customers as JSON objects, each followed by a comma. */
export const JSON_ROWS: RowFormat = {
  rowStart: '{',
  rowEnd: '},',
  columns: FIELDS.map(({ name, type, always, unset }, index) => {
    const open = `${index === 0 ? '' : ','}"${name}":`;
    const quote = type === 'integer' ? '' : '"';
    return { open: open + quote, close: quote, unset: always ? open + JSON.stringify(unset) : '' };
  }),
  cell: (text) => JSON.stringify(text).slice(1, -1),
  special: { anywhere: [], atStart: [] },
  isJson: true,
};
