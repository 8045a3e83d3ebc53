import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicateMembers } from '../../shared/domain/duplicate-members.ts';
import { anyCharacter } from '../support/any-character.ts';
import { iterations } from '../support/iterations.ts';

/** A JSON value whose objects can have members twice. */
type Value =
  | { readonly members: readonly (readonly [string, Value])[] }
  | { readonly elements: readonly Value[] }
  | { readonly literal: string | number | null };

/** Levels of objects and arrays that are looked into. */
const MAX_DEPTH = 10;

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: MAX_DEPTH + 3, depthSize: 'max' },
    fc.record({
      literal: fc.oneof(
        fc.string({ unit: anyCharacter }),
        fc.constantFrom('a":{"', '[{', null),
        fc.integer(),
      ),
    }),
    fc.record({
      members: fc.array(fc.tuple(fc.constantFrom('a', 'b', '"', '\\', 'a":'), tie('value')), {
        maxLength: 4,
      }),
    }),
    fc.record({ elements: fc.array(tie('value'), { maxLength: 3 }) }),
  ),
}));

function toJson(json: Value): string {
  if ('literal' in json) return JSON.stringify(json.literal);
  if ('elements' in json) return `[${json.elements.map(toJson).join(',')}]`;
  const members = json.members.map(
    ([name, member]) => `${JSON.stringify(name)} :${toJson(member)}`,
  );
  return `{ ${members.join(' ,')}}`;
}

function repeated(json: Value, path: readonly (string | number)[] = []): unknown[] {
  if ('literal' in json || path.length === MAX_DEPTH) return [];
  if ('elements' in json) {
    return json.elements.flatMap((element, index) => repeated(element, [...path, index]));
  }
  return json.members.flatMap(([name, member], index) => {
    const isRepeated = json.members.slice(0, index).some(([other]) => other === name);
    const own = [...path, name];
    return [...(isRepeated ? [own] : []), ...repeated(member, own)];
  });
}

test('Members that are there twice are found in any JSON, down to ten levels', () => {
  fc.assert(
    fc.property(value, (json) => {
      expect(duplicateMembers(toJson(json))).toEqual(repeated(json));
    }),
    { numRuns: iterations({ short: 500, long: 20_000 }) },
  );
});
