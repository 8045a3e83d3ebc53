import { type Condition, EVERYONE, meetsFilter } from '../../domain/customer-filter.ts';
import { FLAGS_VALUES, fromFlags } from './columns.ts';
import type { TextBlock } from './snapshot-format.ts';
import type { TextColumn } from './text-column.ts';

/** What conditions are evaluated over: the columns of a frame. */
export interface Columns {
  /** As `toFlags` returns them. */
  readonly flags: Uint8Array;
  /** Returns the column of a text; called for those that {@link Evaluation.texts} names. */
  text(name: TextBlock): TextColumn;
}

/** A condition that can be evaluated over columns. */
export interface Evaluation {
  /** The texts that are compared. */
  readonly texts: ReadonlySet<TextBlock>;
  /** Clears the marks of the entries that do not meet the condition; or of those that do, if it is unwanted. */
  readonly select: (columns: Columns, marks: Uint8Array, isWanted: boolean) => void;
}

/** Returns the evaluation of a condition: the same as DynamoDB's of its expression. */
export function toEvaluation(condition: Condition): Evaluation {
  if ('contains' in condition && condition.contains) {
    return contains(condition.attribute, condition.contains);
  }
  const evaluation = compound(condition);
  // What compares no text depends on flags alone; this includes the search for an empty text.
  return evaluation && evaluation.texts.size > 0 ? evaluation : ofFlags(condition);
}

function compound(condition: Condition): Evaluation | undefined {
  if ('all' in condition) return together(condition.all, true);
  if ('any' in condition) return together(condition.any, false);
  if ('not' in condition) {
    const { texts, select } = toEvaluation(condition.not);
    return { texts, select: (columns, marks, isWanted) => select(columns, marks, !isWanted) };
  }
  return undefined;
}

/** Returns the evaluation of all or any of the conditions: any are unwanted if all are unwanted. */
function together(conditions: readonly Condition[], isAll: boolean): Evaluation {
  const parts = conditions
    .map(toEvaluation)
    // Flags first: what they decide is not searched for texts.
    .sort((a, b) => a.texts.size - b.texts.size);
  return {
    texts: new Set(parts.flatMap(({ texts }) => [...texts])),
    select: (columns, marks, isWanted) => {
      const isOneByOne = isWanted === isAll;
      const remaining = isOneByOne ? marks : marks.slice();
      for (const { select } of parts) select(columns, remaining, isAll);
      if (!isOneByOne) unmark(marks, remaining);
    },
  };
}

/** Flags have so few values that the condition is evaluated for each of them. */
function ofFlags(condition: Condition): Evaluation {
  const filter = { ...EVERYONE, condition };
  const met = Uint8Array.from({ length: FLAGS_VALUES }, (_, value) =>
    Number(meetsFilter(filter, { createdAt: 0, ...fromFlags(value, () => '') })),
  );
  const unmet = met.map((value) => 1 - value);
  return {
    texts: new Set(),
    select: ({ flags }, marks, isWanted) => {
      const kept = isWanted ? met : unmet;
      for (let index = 0; index < marks.length; index += 1) {
        (marks[index] as number) &= kept[flags[index] as number] as number;
      }
    },
  };
}

/** UTF-8 finds what a comparison of characters does: no character's bytes are part of another's. */
function contains(attribute: TextBlock, text: string): Evaluation {
  const bytes = Buffer.from(text);
  return {
    texts: new Set([attribute]),
    select: (columns, marks, isWanted) => {
      const found = marks.slice();
      columns.text(attribute).find(bytes, found);
      if (isWanted) marks.set(found);
      else unmark(marks, found);
    },
  };
}

/** Clears marks; all of them are set. */
function unmark(marks: Uint8Array, some: Uint8Array): void {
  for (let index = 0; index < marks.length; index += 1) {
    (marks[index] as number) ^= some[index] as number;
  }
}
