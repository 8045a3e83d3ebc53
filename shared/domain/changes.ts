/** What happened to a customer. */
export type ChangeKind = 'created' | 'updated' | 'deleted';

/**
 * A position in a merchant's change log: the number of changes before it. Changes are numbered from 0
 * without gaps, and numbers are not used again.
 */
export interface LogPosition {
  /** Number of the first change of the log entry in which the position lies. */
  readonly entry: number;
  /** How many changes of that entry are before the position. */
  readonly index: number;
  /**
   * No change after the position was recorded before this time, in milliseconds since 1970. Entries
   * expire, and those after the position are complete while this is within the retention.
   */
  readonly sinceMs: number;
}
