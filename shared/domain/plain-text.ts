/** Characters that are not seen: soft hyphen, zero-width space, marks of writing direction, … */
const INVISIBLE = /\p{Cf}/gu;
/** Hyphens and dashes of every length, and the minus sign. */
const DASHES = /[\p{Pd}\u2212]/gu;
/** Apostrophes, and the accents that are typed for one. */
const APOSTROPHES = /[\u2018\u2019\u02bc\u00b4`]/gu;

/**
 * Returns a text with the characters that a keyboard has in place of those that Word, Excel and web
 * pages make of them: `-` for each dash, `'` for each apostrophe, one space for each run of white
 * space, none around the text, and no invisible characters.
 */
export function plainText(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .replace(DASHES, '-')
    .replace(APOSTROPHES, "'")
    .replace(/\s+/gu, ' ')
    .trim();
}
