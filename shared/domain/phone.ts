import { plainText } from './fold.ts';

/** National forms of telephone numbers, and the country code that replaces their prefix. */
const NATIONAL: Readonly<Record<string, { form: RegExp; code: string }>> = {
  SE: { form: /^0(?!0)/, code: '46' },
  FI: { form: /^0(?!0)/, code: '358' },
  // Numbers of these two have eight digits and no prefix.
  NO: { form: /^(?=\d{8}$)/, code: '47' },
  DK: { form: /^(?=\d{8}$)/, code: '45' },
};
/** Maximum digits of a number with its country code (E.164, section 6.1). */
const MAX_DIGITS = 15;
/** Digits from which on a text can be a whole number: an area code in front of `/` has fewer. */
const MIN_DIGITS = 5;
/** Digits of a whole number with its area code. */
const WHOLE_DIGITS = 7;

/**
 * Returns the first telephone number of a text, as digits with country code. The text may have
 * several numbers, an extension, and words.
 *
 * @param country of a number without country code, ISO 3166-1 alpha-2.
 * @returns an empty string if the text has none.
 */
export function internationalPhone(text: string, country: string): string {
  const numbers = plainText(text)
    .replaceAll('(0)', '')
    .split(/[^\d\s().+/-]+/)
    .flatMap(partsOf);
  const first =
    numbers.find((number) => digitsOf(number).length >= MIN_DIGITS) ??
    numbers.find((number) => digitsOf(number).length > 0) ??
    '';
  const digits = digitsOf(first);
  const international = first.includes('+') ? digits : withCountryCode(digits, country);
  return international.length <= MAX_DIGITS ? international : '';
}

function withCountryCode(digits: string, country: string): string {
  if (digits.startsWith('00')) return digits.slice(2);
  const { form, code } = NATIONAL[country] ?? {};
  return form && code ? digits.replace(form, code) : digits;
}

/** Splits digits with what groups them into numbers: at `/`, `+`, `(` and, if too long, at ` 0`. */
function partsOf(run: string): string[] {
  const parts: string[] = [];
  for (const part of run.split(/\/|(?=\+)|(?=\()/)) {
    const last = parts.at(-1);
    // `08/123 456` and `(08) 123 456` are one number.
    const isContinued =
      last !== undefined && !part.startsWith('+') && digitsOf(last).length < MIN_DIGITS;
    if (isContinued) parts[parts.length - 1] = `${last} ${part}`;
    else parts.push(part);
  }
  return parts.flatMap(splitLong);
}

/** Two numbers with nothing but a space between them are too long for one. */
function splitLong(part: string): string[] {
  if (digitsOf(part).length <= MAX_DIGITS) return [part];
  const starts = [...part.matchAll(/ (?=0)/g)].map(({ index }) => index);
  const start = starts.findLast((index) => digitsOf(part.slice(index)).length >= WHOLE_DIGITS);
  if (!start) return [part];
  return [...splitLong(part.slice(0, start)), part.slice(start)];
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}
