/**
 * How a number in a cell of a workbook is shown (ECMA-376, part 1, section 18.8.30), as far as the
 * text of a field depends on it.
 */
export type NumberFormat =
  | { readonly kind: 'plain' }
  | { readonly kind: 'date' }
  /** Digits at the zeros of the pattern, other characters between them: `000 00`. */
  | { readonly kind: 'digits'; readonly pattern: string };

const PLAIN: NumberFormat = { kind: 'plain' };
const DATE: NumberFormat = { kind: 'date' };

/** Returns the format of a built-in number; those of dates differ by language, not in kind. */
export function builtInFormat(id: number): NumberFormat {
  const isDate =
    (id >= 14 && id <= 22) ||
    (id >= 27 && id <= 36) ||
    (id >= 45 && id <= 47) ||
    (id >= 50 && id <= 58);
  return isDate ? DATE : PLAIN;
}

/** A part of a format code: a quoted or escaped text, a bracket, a filler, or a character. */
const TOKENS = /"([^"]*)"?|\\(.)|\[([^\]]*)\]?|[_*].|([\s\S])/gu;
/** In place of a zero that is text, within a pattern. */
const QUOTED_ZERO = '\u0000';

/** Returns the format of a code, such as `yyyy\-mm\-dd` or `000\ 00`. */
export function parseFormat(code: string): NumberFormat {
  let pattern = '';
  let zeros = 0;
  let isDigits = true;
  for (const [, quoted, escaped, bracket, plain] of code.matchAll(TOKENS)) {
    const literal = quoted ?? escaped;
    if (literal !== undefined) pattern += literal.replaceAll('0', QUOTED_ZERO);
    // [h], [mm] and [ss] are durations; other brackets are colours, conditions and locales.
    else if (bracket !== undefined && /^(?:h+|m+|s+)$/i.test(bracket)) return DATE;
    if (plain === undefined) continue;
    // The format of negative numbers follows.
    if (plain === ';') break;
    if (/[ymdhs]/i.test(plain)) return DATE;
    if (plain === '0') zeros += 1;
    if (!/[0 ()/-]/.test(plain)) isDigits = false;
    pattern += plain;
  }
  // One zero is how any integer is written.
  return isDigits && zeros > 1 ? { kind: 'digits', pattern } : PLAIN;
}

/** Returns an integer of 0 or more by a pattern; digits for which it has no zero come first. */
export function applyPattern(pattern: string, digits: string): string {
  let left = digits;
  let text = '';
  const first = pattern.indexOf('0');
  for (let index = pattern.length - 1; index >= 0; index -= 1) {
    const character = pattern[index] as string;
    if (character !== '0') {
      text = (character === QUOTED_ZERO ? '0' : character) + text;
    } else if (index === first) {
      text = (left || '0') + text;
    } else {
      text = (left.at(-1) ?? '0') + text;
      left = left.slice(0, -1);
    }
  }
  return text;
}

const DAY_MS = 86_400_000;
/** Days from 1899-12-30 to 1970-01-01, and from there to 1904-01-01. */
const EPOCH_DAY = 25_569;
const DAYS_TO_1904 = 1_462;
/** Excel counts a February 29th in 1900. */
const FIRST_DAY_COUNTED_RIGHT = 60;
/** 9999-12-31, the last day in Excel. */
const LAST_DAY = 2_958_465;

/**
 * Returns the date of a number of days, and its time if it has one: `2026-11-29 08:30:00`. A number
 * of less than a day is a time.
 *
 * @param is1904 whether days are counted from 1904-01-01.
 */
export function dateText(days: number, is1904: boolean): string | undefined {
  const counted = is1904 ? days + DAYS_TO_1904 : days;
  if (!(counted >= 0 && counted < LAST_DAY + 1)) return undefined;
  const day = counted < FIRST_DAY_COUNTED_RIGHT ? counted + 1 : counted;
  // Times of a second are not exact as fractions of days.
  const seconds = Math.round(((day - EPOCH_DAY) * DAY_MS) / 1_000);
  const [date, time] = new Date(seconds * 1_000).toISOString().slice(0, 19).split('T') as [
    string,
    string,
  ];
  if (days < 1) return time;
  return time === '00:00:00' ? date : `${date} ${time}`;
}
