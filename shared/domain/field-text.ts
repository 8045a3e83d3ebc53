/** Returns whether a text has at most so many characters (Unicode code points). */
export function hasAtMost(characters: number, text: string): boolean {
  if (text.length <= characters) return true;
  // A character has at most two code units; a text of a megabyte is not taken apart.
  return text.length <= 2 * characters && [...text].length <= characters;
}

/**
 * Characters that XML 1.0 cannot contain (section 2.2) and that no export could carry faithfully:
 * controls other than tab, line feed and carriage return, and U+FFFE and U+FFFF. Also U+FFFD, which
 * stands for a lost character: API Gateway decodes a body that is not UTF-8 before the function
 * gets it, and a damaged name must not be stored silently.
 */
export const CONTROLS = '\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f';
export const NONCHARACTERS = '\\ufffd-\\uffff';
const FORBIDDEN = new RegExp(`[${CONTROLS}${NONCHARACTERS}]`);

/** A rule that the text of a field keeps. */
export interface TextRule {
  /** For programs and translations. */
  readonly code: 'tooLong' | 'halfCharacter' | 'forbiddenCharacter';
  /** @param maxLength of the field, in characters (Unicode code points). */
  readonly allows: (text: string, maxLength: number) => boolean;
  /** Returns what would be right, in English. */
  readonly detail: (text: string, maxLength: number) => string;
  /** Returns the values that the detail names, for translations. */
  readonly params: (text: string, maxLength: number) => Readonly<Record<string, string | number>>;
}

export const LENGTH_RULE: TextRule = {
  code: 'tooLong',
  allows: (text, maxLength) => hasAtMost(maxLength, text),
  detail: (_, maxLength) => `must have at most ${maxLength} characters`,
  params: (_, maxLength) => ({ maxLength }),
};

export const SURROGATES_RULE: TextRule = {
  code: 'halfCharacter',
  allows: (text) => text.isWellFormed(),
  detail: () => 'must not contain half of a surrogate pair',
  params: () => ({}),
};

export const CHARACTERS_RULE: TextRule = {
  code: 'forbiddenCharacter',
  allows: (text) => !FORBIDDEN.test(text),
  detail: (text) => `must not contain ${nameOf(forbiddenIn(text))}`,
  params: (text) => ({ character: codePoint(forbiddenIn(text)) }),
};

/** What a text must be to be stored as a field, whether a request or a file brings it. */
const TEXT_RULES: readonly TextRule[] = [LENGTH_RULE, SURROGATES_RULE, CHARACTERS_RULE];

/** Returns the rules that a text breaks. */
export function brokenTextRules(text: string, maxLength: number): readonly TextRule[] {
  return TEXT_RULES.filter(({ allows }) => !allows(text, maxLength));
}

function forbiddenIn(text: string): string {
  return FORBIDDEN.exec(text)?.[0] ?? '';
}

function nameOf(character: string): string {
  if (character === '\ufffd') return 'U+FFFD, the mark of a lost character; send UTF-8';
  return `the character ${codePoint(character)}, which XML cannot carry`;
}

function codePoint(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
