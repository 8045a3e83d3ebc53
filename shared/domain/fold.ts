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

/** Texts of which upper case is all that folding does, but for spaces: the most frequent ones. */
const SIMPLE = /^[ -_a-~åäöÅÄÖ]*$/u;
/** Marks of a decomposed letter, after the letters that keep theirs: Å, Ä, Ö and Cyrillic Й. */
const MARKS = /(A\u030a|[AO]\u0308|\u0418\u0306)|[\u0300-\u036f]/gu;
/** Letters that Swedish sorts as others, and that Unicode does not decompose into these. */
const SORTED_AS: Readonly<Record<string, string>> = {
  Æ: 'Ä',
  Ø: 'Ö',
  Œ: 'OE',
  Ð: 'D',
  Đ: 'D',
  Ħ: 'H',
  Ł: 'L',
  Þ: 'TH',
};
const SORTED_AS_OTHERS = new RegExp(`[${Object.keys(SORTED_AS).join('')}]`, 'gu');

/**
 * Returns a text in the form in which texts are compared: {@link plainText} in upper case, without
 * the accents that Swedish does not hold apart. å, ä and ö are letters of their own; ø is compared
 * as ö and æ as ä, as Swedish sorts them. Lower case comes first, since some letters have two
 * capitals.
 */
export function fold(text: string): string {
  if (SIMPLE.test(text)) return text.toUpperCase().replace(/ {2,}/g, ' ').trim();
  const letters = text.normalize('NFD').toLowerCase().toUpperCase().replace(MARKS, '$1');
  return plainText(
    letters.normalize('NFC').replace(SORTED_AS_OTHERS, (letter) => SORTED_AS[letter] as string),
  );
}

/** Returns a folded number or postcode without the spaces and signs by which it can be grouped. */
export function withoutSeparators(folded: string): string {
  return folded.replace(/[ +-]/g, '');
}
