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
