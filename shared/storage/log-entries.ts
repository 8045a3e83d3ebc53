import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { firstChangeInSortKey } from './table.ts';

/*
 * The change log: a gapless list of which customers of a merchant were created, updated or deleted.
 * It says that a customer changed and not how; readers read the customer itself.
 *
 * Entries have one or more changes. An entry's key is the number of its first change, and its
 * number of changes leads to the next entry, so that an entry exists only if all entries before it do.
 */

/** Kind of a change in an entry: insert, modify or remove, as DynamoDB Streams calls them. */
export type LoggedKind = 'I' | 'M' | 'R';

/** A change as it is logged. */
export interface LoggedChange {
  readonly kind: LoggedKind;
  readonly id: number;
}

/** Returns the text of an entry: `I301 M7 R17`. */
export function formatChanges(changes: readonly LoggedChange[]): string {
  return changes.map(({ kind, id }) => `${kind}${id}`).join(' ');
}

/** Returns the changes of an entry's text. */
export function parseChanges(text: string): LoggedChange[] {
  return text.split(' ').map((word) => ({
    kind: word.charAt(0) as LoggedKind,
    id: Number(word.slice(1)),
  }));
}

/** A change with its place in the log. */
export interface ReadChange extends LoggedChange {
  /** Number of the first change of its entry. */
  readonly entry: number;
  readonly index: number;
  /** When it was recorded, in milliseconds since 1970. */
  readonly atMs: number;
}

/** Returns the changes of entries up to the first gap, if the first entry is the one expected. */
export function contiguousChanges(
  items: readonly Record<string, AttributeValue>[],
  first: number,
): ReadChange[] {
  const changes: ReadChange[] = [];
  let expected = first;
  for (const item of items) {
    const entry = firstChangeInSortKey(item.sk?.S ?? '');
    if (entry !== expected) break;
    const atMs = Number(item.recordedAt?.N);
    const logged = parseChanges(item.changedIds?.S ?? '');
    for (const [index, change] of logged.entries()) changes.push({ ...change, entry, index, atMs });
    expected = entry + logged.length;
  }
  return changes;
}
