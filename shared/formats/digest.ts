import { FIELDS } from '../domain/fields.ts';
import type { RowFormat } from './row-format.ts';

/** Unit, record and group separators (ASCII): control characters, which no text of a customer has. */
const AFTER_NAME = '\u001f';
const AFTER_VALUE = '\u001e';
const AFTER_CUSTOMER = '\u001d';

/**
 * Customers in the canonical form that digests hash: the name and the value of each set field, in the
 * order of `FIELDS`. A new field must be the last, so that it leaves the hashes of customers without
 * it as they are.
 */
export const DIGEST_ROWS: RowFormat = {
  rowStart: '',
  rowEnd: AFTER_CUSTOMER,
  columns: FIELDS.map(({ name }) => ({
    of: name,
    open: name + AFTER_NAME,
    close: AFTER_VALUE,
    unset: '',
  })),
  cell: (text) => text,
  special: { anywhere: [], atStart: [] },
};
