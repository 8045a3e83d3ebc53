import fc from 'fast-check';

/** Surrogates, which are no characters of their own. */
const SURROGATES = { first: 0xd800, count: 0x800 };
const MAX_CODE_POINT = 0x10ffff;

/**
 * Any Unicode code point but surrogates, as the unit of a text. fast-check's own, `binary`, has a map of
 * all of them, which takes more than a second of CPU time.
 */
export const anyCharacter = fc
  .integer({ min: 0, max: MAX_CODE_POINT - SURROGATES.count })
  .map((index) =>
    String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count),
  );
