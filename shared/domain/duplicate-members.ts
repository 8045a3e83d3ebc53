/** Names of members, other strings, and what divides values; white space and literals lie between. */
const TOKENS = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\],]/g;
const NAME_END = /"\s*:/g;
/** Objects and arrays within each other that are looked into; a megabyte can have half a million. */
const MAX_DEPTH = 100;

/** What is being looked at: the names of an object so far, or the index in an array. */
type Level = { readonly names: Set<string>; name: string } | { index: number };

/** Where a member is: names of members, and indexes of elements of arrays. */
export type MemberPath = readonly (string | number)[];

/**
 * Returns the members that a JSON text has more than once. `JSON.parse` takes the last of them and does
 * not say so; other parsers take the first, or fail. Looks no further than to what is deeper than
 * {@link MAX_DEPTH}, which is in no text that is valid otherwise.
 *
 * @param text which must be valid JSON.
 * @param max paths that are looked for. Default: all.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-4
 */
export function duplicateMembers(text: string, max = Number.POSITIVE_INFINITY): MemberPath[] {
  const found: MemberPath[] = [];
  const levels: Level[] = [];
  for (const [token, raw, colon] of text.matchAll(TOKENS)) {
    const level = levels.at(-1);
    if (levels.length > MAX_DEPTH) break;
    if (colon !== undefined && level && 'names' in level) {
      const name: string = raw?.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
      level.name = name;
      if (level.names.has(name)) found.push(levels.map(pathPart));
      if (found.length === max) break;
      level.names.add(name);
    } else if (token === '{') levels.push({ names: new Set(), name: '' });
    else if (token === '[') levels.push({ index: 0 });
    else if (token === '}' || token === ']') levels.pop();
    else if (token === ',' && level && 'index' in level) level.index += 1;
  }
  return found;
}

/**
 * Returns whether a JSON text can have more than so many names of members. Costs a fraction of what
 * {@link duplicateMembers} does; it counts the ends of names, which strings can contain as well.
 */
export function mayHaveMoreMembers(text: string, count: number): boolean {
  NAME_END.lastIndex = 0;
  let ends = 0;
  while (ends <= count && NAME_END.test(text)) ends += 1;
  NAME_END.lastIndex = 0;
  return ends > count;
}

function pathPart(level: Level): string | number {
  return 'names' in level ? level.name : level.index;
}
