/** Returns whether a text has at most so many characters (Unicode code points). */
export function hasAtMost(characters: number, text: string): boolean {
  if (text.length <= characters) return true;
  // A character has at most two code units; a text of a megabyte is not taken apart.
  return text.length <= 2 * characters && [...text].length <= characters;
}
