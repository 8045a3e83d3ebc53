import { FIELDS } from '../domain/fields.ts';
import type { RowFormat } from './row-format.ts';

/** Customers as the API answers them, one JSON object after the other, each with a comma behind. */
export const JSON_ROWS: RowFormat = {
  rowStart: '{',
  rowEnd: '},',
  columns: FIELDS.map(({ name, type, always }, index) => {
    const open = `${index === 0 ? '' : ','}"${name}":`;
    const quote = type === 'integer' ? '' : '"';
    return { open: open + quote, close: quote, unset: always ? `${open}""` : '' };
  }),
  cell: (text) => JSON.stringify(text).slice(1, -1),
  special: { anywhere: [], atStart: [] },
  isJson: true,
};
