import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type LoggedChange, parseChanges } from './logged-changes.ts';
import { firstChangeInSortKey } from './table.ts';

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
