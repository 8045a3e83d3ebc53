import { FIELDS } from '../domain/fields.ts';
import type { Query } from '../http/query.ts';
import type { Format } from './export-format.ts';

export const CSV_TYPE = 'text/csv';

/** Query parameters that choose how a CSV file is written. */
export const CSV_PARAMETERS = ['delimiter', 'bom'] as const;

const DELIMITERS = { comma: ',', semicolon: ';' } as const;
/**
 * What stands in quotes: besides what must, every delimiter that a program may split at. LibreOffice
 * takes comma, semicolon and tab at once unless told otherwise, and what stood behind one would
 * be a cell of its own, perhaps a formula.
 */
const QUOTED = '"\r\n,;\t';
/** Byte order mark, by which Excel knows UTF-8. */
const BOM = '\uFEFF';

/**
 * A cell that a spreadsheet may run as a formula: an opening sign, also in its full-width form
 * and after white space (OWASP, "CSV Injection"). Apostrophes before it count as part of it, so
 * that the one put in front can be told from those that were there.
 */
const FORMULA = /^'*\s*[=+\-@\t\r\n＝＋－＠]/u;
/**
 * First bytes in UTF-8 of what {@link FORMULA} looks at: the ASCII signs and white space, and the
 * lead bytes of white space and full-width signs beyond.
 */
const FORMULA_STARTS = [...Buffer.from("'=+-@\t\r\n\v\f "), 0xc2, 0xe1, 0xe2, 0xe3, 0xef];
/** What begins like a formula and is none: phone numbers and negative numbers. */
const HARMLESS = /^(?:\+[\d ()./-]*|-\d[\d .,]*)$/;

/**
 * CSV as RFC 4180 has it, in UTF-8 with a header row, in the form that the query asks for: with
 * `delimiter=semicolon` and `bom=true` Excel opens it by double-click under Swedish settings.
 *
 * @throws Problem 400 for another delimiter or a `bom` that is not true or false.
 */
export function csv(query: Query): Format {
  const delimiter = DELIMITERS[query.word('delimiter', ['comma', 'semicolon']) ?? 'comma'];
  const bom = query.word('bom', ['true', 'false']) === 'true' ? BOM : '';
  const special = new RegExp(`[${QUOTED}]`);
  const cell = (text: string) => {
    const safe = neutralise(text);
    return special.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return {
    mediaType: CSV_TYPE,
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: `${bom}${FIELDS.map(({ name }) => name).join(delimiter)}\r\n`,
    rowStart: '',
    rowEnd: '\r\n',
    columns: FIELDS.map((_, index) => {
      const open = index === 0 ? '' : delimiter;
      return { open, close: '', unset: open };
    }),
    cell,
    special: { anywhere: Buffer.from(QUOTED).toJSON().data, atStart: FORMULA_STARTS },
    tail: '',
  };
}

/**
 * The text with an apostrophe in front where a spreadsheet would run it as a formula. Taking one
 * apostrophe away where {@link FORMULA} follows gives back every text as it was.
 */
function neutralise(text: string): string {
  return FORMULA.test(text) && !HARMLESS.test(text) ? `'${text}` : text;
}
