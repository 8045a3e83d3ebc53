import type { Outcome, PlannedRow } from '../domain/import.ts';
import type { Counts } from '../domain/import-job.ts';

/** A row of a plan, with its cells as sent if it is not imported. */
export type PlannedLine = PlannedRow & { readonly cells?: readonly string[] };

/** One of a plan's files. */
export interface PlanStep {
  /** Numbers of its first and last row. */
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly counts: Counts<Outcome>;
  readonly digest: string;
}

/** What the files of a plan have. */
export interface Manifest {
  /** Headings of the file that was sent. */
  readonly headings: readonly string[];
  readonly steps: readonly PlanStep[];
}

export const MANIFEST = 'manifest.json';

/** Returns the name of one of a plan's files. */
export function planFile(index: number): string {
  return `plan-${index}.jsonl`;
}

/** Returns whether rows of an outcome are not imported. */
export function isRejected(outcome: Outcome): boolean {
  return outcome === 'ambiguous' || outcome === 'invalid' || outcome === 'skipped';
}

/** Returns how many of some values there are of each. */
export function countsOf<Name extends string>(
  names: readonly Name[],
  values: readonly Name[],
): Counts<Name> {
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  for (const value of values) counts[value] += 1;
  return counts;
}

/** Returns the sum of counts. */
export function sumOfCounts<Name extends string>(
  names: readonly Name[],
  all: readonly Counts<Name>[],
): Counts<Name> {
  const sums = countsOf(names, []) as Record<Name, number>;
  for (const counts of all) for (const name of names) sums[name] += counts[name] ?? 0;
  return sums;
}
