import type { CsvOptions } from '../domain/export.ts';
import { headingOf } from '../domain/field-headings.ts';
import { fieldsNamed } from '../domain/fields.ts';
import type { FileFormat } from './row-format.ts';

export const CSV_TYPE = 'text/csv';

const DELIMITERS = { comma: ',', semicolon: ';' } as const;
/**
 * Characters of a cell that is quoted: besides those of RFC 4180 every delimiter that a program may
 * split at. LibreOffice splits at comma, semicolon and tab unless told otherwise, and the text after
 * one would become a cell of its own, perhaps a formula.
 */
const QUOTED = '"\r\n,;\t';
/** Byte order mark, by which Excel recognises UTF-8. */
const BOM = '\uFEFF';

/**
 * A cell that a spreadsheet may evaluate as a formula: an opening sign, also in its full-width form
 * and after white space (OWASP, "CSV Injection"). Apostrophes before it are part of the match, so
 * that the one added can be told from those that were there.
 */
const FORMULA = /^'*\s*[=+\-@\t\r\n＝＋－＠]/u;
/**
 * First bytes in UTF-8 of texts that {@link FORMULA} may match: the ASCII signs and white space, and
 * the lead bytes of other white space and of full-width signs.
 */
const FORMULA_STARTS = [...Buffer.from("'=+-@\t\r\n\v\f "), 0xc2, 0xe1, 0xe2, 0xe3, 0xef];
/**
 * Texts that begin like a formula and contain none: nothing in them is a reference, a function or an
 * operator with an operand other than a number.
 */
const HARMLESS: readonly RegExp[] = [
  // Numbers and percentages, and dashes alone.
  /^[+-]\d[\d\xa0 .,]*%?$/,
  /^-[- ]*$/,
  // Telephone numbers; the word before an extension is not joined to digits, as a reference is.
  /^\+[\d\xa0 ()./-]*(?:,? ?(?:ankn?|anknytning|ext|extension|vx|växel)(?:[.:] ?| )\d+)?$/i,
  // Two words or more after a dash and a space, and numbers among them.
  /^- [\p{L}\p{M}]{2,}(?:-[\p{L}\p{M}]+)*(?:[,.]? (?:[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)*|\d+(?:-\d+)*))+[.?]?$/u,
];

/**
 * Returns the format of a CSV file (RFC 4180) in UTF-8 with a header row. With a semicolon and a
 * byte order mark Excel opens it by double-click in Swedish settings.
 */
export function csv(options: CsvOptions): FileFormat & { readonly delimiter: string } {
  const delimiter = DELIMITERS[options.delimiter];
  const bom = options.bom ? BOM : '';
  const keepsFormulas = options.formulas === 'keep';
  const fields = fieldsNamed(options.columns);
  const special = new RegExp(`[${QUOTED}]`);
  const cell = (text: string) => {
    const safe = keepsFormulas ? text : escapeFormula(text);
    return special.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return {
    delimiter,
    mediaType: CSV_TYPE,
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: `${bom}${fields.map(({ name }) => headingOf(name, options.headers)).join(delimiter)}\r\n`,
    rowStart: '',
    rowEnd: '\r\n',
    columns: fields.map(({ name, unset }, index) => {
      const open = index === 0 ? '' : delimiter;
      return { of: name, open, close: '', unset: `${open}${unset}` };
    }),
    cell,
    special: {
      anywhere: Buffer.from(QUOTED).toJSON().data,
      atStart: keepsFormulas ? [] : FORMULA_STARTS,
    },
    tail: '',
  };
}

/** Returns the text that {@link escapeFormula} was given. */
export function unescapeFormula(text: string): string {
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}

/**
 * Returns the text, with an apostrophe in front if a spreadsheet could evaluate it as a formula.
 * Removing the first apostrophe of a cell that begins with one and that {@link FORMULA} matches
 * restores every text.
 */
function escapeFormula(text: string): string {
  const isFormula = FORMULA.test(text) && !HARMLESS.some((pattern) => pattern.test(text));
  return isFormula ? `'${text}` : text;
}
