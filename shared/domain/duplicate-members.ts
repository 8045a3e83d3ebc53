/** Names of members, other strings, and what divides values; white space and literals lie between. */
const TOKENS = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\],]/g;
/** Strings, and brackets that follow one another. */
const BRACKETS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{[]+|[}\]]+/g;
const NAME_END = /"\s*:/g;
/** Objects and arrays within each other that are looked into; a megabyte can have half a million. */
const MAX_DEPTH = 10;

/** What is being looked at: the names of an object so far, or the index in an array. */
type Level = { readonly names: Set<string>; name: string } | { index: number };

/** Where a member is: names of members, and indexes of elements of arrays. */
export type MemberPath = readonly (string | number)[];

/**
 * Returns the members that a JSON text has more than once. `JSON.parse` takes the last of them and does
 * not say so; other parsers take the first, or fail. What is deeper than {@link MAX_DEPTH} is passed over:
 * no body and no field of a row has so many levels.
 *
 * @param text which must be valid JSON.
 * @param max paths that are looked for. Default: all.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-4
 */
export function duplicateMembers(text: string, max = Number.POSITIVE_INFINITY): MemberPath[] {
  const found: MemberPath[] = [];
  const levels: Level[] = [];
  const tokens = new RegExp(TOKENS);
  for (let match = tokens.exec(text); match && found.length < max; match = tokens.exec(text)) {
    const [token, raw = '', colon] = match;
    const level = levels.at(-1);
    if (colon !== undefined && level && 'names' in level) {
      level.name = raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
      if (level.names.has(level.name)) found.push(levels.map(pathPart));
      level.names.add(level.name);
    } else if (token === '{' || token === '[') {
      if (levels.length === MAX_DEPTH) tokens.lastIndex = endOfValue(text, match.index);
      else levels.push(token === '{' ? { names: new Set(), name: '' } : { index: 0 });
    } else if (token === '}' || token === ']') levels.pop();
    else if (token === ',' && level && 'index' in level) level.index += 1;
  }
  return found;
}

/** Returns where the object or array ends that begins at an index. */
function endOfValue(text: string, start: number): number {
  const brackets = new RegExp(BRACKETS);
  brackets.lastIndex = start;
  let open = 0;
  for (let match = brackets.exec(text); match; match = brackets.exec(text)) {
    const [{ length }] = match;
    const [first] = match[0];
    if (first === '{' || first === '[') open += length;
    else if (first !== '"') {
      if (length >= open) return match.index + open;
      open -= length;
    }
  }
  return text.length;
}

/**
 * Returns whether a JSON text can have more than so many names of members. Costs a fraction of what
 * {@link duplicateMembers} does; it counts the ends of names, which strings can contain as well.
 */
export function mayHaveMoreMembers(text: string, count: number): boolean {
  NAME_END.lastIndex = 0;
  let ends = 0;
  while (ends <= count && NAME_END.test(text)) ends += 1;
  return ends > count;
}

function pathPart(level: Level): string | number {
  return 'names' in level ? level.name : level.index;
}
