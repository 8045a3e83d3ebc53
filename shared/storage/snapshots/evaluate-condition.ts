import { type Condition, EVERYONE, meetsFilter } from '../../domain/customer-filter.ts';
import { FLAGS_VALUES, fromFlags, type TextColumn } from './columns.ts';
import type { TextBlock } from './snapshot-format.ts';

/** What conditions are evaluated over. */
export interface Columns {
  /** As `toFlags` returns them. */
  readonly flags: Uint8Array;
  /** Returns the column of a text; called for those that {@link textsOf} returns. */
  text(name: TextBlock): TextColumn;
}

/** Returns the texts that a condition compares: it needs their columns. */
export function textsOf(condition: Condition): Set<TextBlock> {
  if ('all' in condition) return union(condition.all.map(textsOf));
  if ('any' in condition) return union(condition.any.map(textsOf));
  if ('not' in condition) return textsOf(condition.not);
  return new Set('contains' in condition && condition.contains ? [condition.attribute] : []);
}

/** Clears the marks of entries that do not meet the condition, out of those that are marked (1). */
export function evaluate(condition: Condition, columns: Columns, marks: Uint8Array): void {
  if (textsOf(condition).size === 0) {
    evaluateFlags(condition, columns, marks);
  } else if ('all' in condition) {
    for (const part of flagsFirst(condition.all)) evaluate(part, columns, marks);
  } else if ('any' in condition) {
    const rest = marks.slice();
    for (const part of flagsFirst(condition.any)) {
      const met = rest.slice();
      evaluate(part, columns, met);
      subtract(rest, met);
    }
    subtract(marks, rest);
  } else if ('not' in condition) {
    const met = marks.slice();
    evaluate(condition.not, columns, met);
    subtract(marks, met);
  } else if ('contains' in condition) {
    const column = columns.text(condition.attribute);
    findText(column, Buffer.from(condition.contains), marks);
  }
}

/** Flags have so few values that the condition is evaluated for each of them. */
function evaluateFlags(condition: Condition, { flags }: Columns, marks: Uint8Array): void {
  const filter = { ...EVERYONE, condition };
  const meets = Uint8Array.from({ length: FLAGS_VALUES }, (_, value) =>
    Number(meetsFilter(filter, { createdAt: 0, ...fromFlags(value, () => '') })),
  );
  for (let index = 0; index < marks.length; index += 1) {
    (marks[index] as number) &= meets[flags[index] as number] as number;
  }
}

/** Clears the marks of texts that do not contain this one. */
function findText({ bytes, ends }: TextColumn, text: Buffer, marks: Uint8Array): void {
  let place = 0;
  let index = 0;
  while (index < marks.length) {
    const found = bytes.indexOf(text, place);
    // Without a match in what remains, `found` is after it.
    const match = found < 0 ? bytes.length : found;
    while (index < marks.length && (ends[index] as number) < match) {
      marks[index] = 0;
      index += 1;
    }
    // This one contains it. The next that is marked is where the search continues.
    index += 1;
    while (index < marks.length && !marks[index]) index += 1;
    place = (ends[index - 1] as number) + 1;
  }
}

/** Cheaper parts first: what they decide needs no search. */
function flagsFirst(conditions: readonly Condition[]): readonly Condition[] {
  const needsTexts = (condition: Condition) => Number(textsOf(condition).size > 0);
  return conditions.toSorted((a, b) => needsTexts(a) - needsTexts(b));
}

function subtract(marks: Uint8Array, others: Uint8Array): void {
  for (let index = 0; index < marks.length; index += 1) {
    (marks[index] as number) &= ~(others[index] as number);
  }
}

function union<T>(sets: readonly Set<T>[]): Set<T> {
  return new Set(sets.flatMap((set) => [...set]));
}
