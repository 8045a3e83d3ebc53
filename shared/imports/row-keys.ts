import type { FileRow, MatchField } from '../domain/import.ts';
import { lookUpForm } from '../domain/look-up-forms.ts';
import { lookUpKey } from '../storage/table.ts';

/** Characters of a Swedish identity number without its century, of which spreadsheets drop zeros. */
const IDENTITY_NUMBER_LENGTH = 10;
/** Fewest digits that are left of it: no month begins with two zeros. */
const IDENTITY_NUMBER_REST = /^\d{6,9}$/;
const ZERO = /^0/;

/** A field that names the customer of a row. */
export interface RowKey {
  readonly field: MatchField;
  /** As in the row. */
  readonly value: string;
  /** What is compared: the sort key of the field's index, or the id. */
  readonly key: string;
}

/** Returns the match fields that a row fills, in their order. */
export function keysOf({ id, fields }: FileRow, match: readonly MatchField[]): RowKey[] {
  return match.flatMap((field): RowKey[] => {
    if (field === 'mexcParamvaluesetsid') {
      return id === undefined ? [] : [{ field, value: String(id), key: String(id) }];
    }
    const value = fields[field] ?? '';
    const key = keyOf(field, value);
    return key === undefined ? [] : [{ field, value, key }];
  });
}

/** Returns what is compared of a text; undefined if nothing is. */
export function keyOf(field: 'customerid' | 'companyno', text: string): string | undefined {
  const form = lookUpForm(field, text);
  return form === '' ? undefined : String(lookUpKey(field, form));
}

/**
 * Returns the key of an identity number that a spreadsheet has taken for a number, with the zeros that
 * it has dropped.
 */
export function keyWithZeros(companyno = ''): string | undefined {
  const digits = companyno.trim();
  if (!IDENTITY_NUMBER_REST.test(digits)) return undefined;
  const key = keyOf('companyno', digits.padStart(IDENTITY_NUMBER_LENGTH, '0'));
  // That of a number that is not valid begins with `=`.
  return key?.startsWith('=') ? undefined : key;
}

/** Returns a customerid as a spreadsheet leaves it that takes it for a number; undefined if it would keep it. */
export function withoutZeros(customerid: string): string | undefined {
  return ZERO.test(customerid) && /^\d+$/.test(customerid)
    ? customerid.replace(/^0+(?=\d)/, '')
    : undefined;
}
