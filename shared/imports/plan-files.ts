import { ImportExpiredError } from '../domain/errors.ts';
import type { Outcome, PlannedRow } from '../domain/import.ts';
import type { Counts, ImportJob } from '../domain/import-job.ts';
import { withFaults } from './fault-lines.ts';
import { type FileOwner, getFile, getLines } from './import-files.ts';

/** A row of a plan, as it is stored: with what shows a person whom it is about. */
export type PlannedLine = PlannedRow & {
  /** Of the customer that the row names; of a row that is not imported, as sent. */
  readonly name?: string | undefined;
  readonly customerid?: string | undefined;
  /** As sent, of a row that is not imported. */
  readonly cells?: readonly string[] | undefined;
};

/** One of a plan's files. */
export interface PlanStep {
  /** Numbers of its first and last row. */
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly counts: Counts<Outcome>;
  /** About how many write units of the table applying it consumes. */
  readonly writeUnits: number;
  readonly digest: string;
}

/** What the files of a plan have. */
export interface Manifest {
  /** Headings of the file that was sent. */
  readonly headings: readonly string[];
  readonly steps: readonly PlanStep[];
}

/** Returns the name of the file with a plan's {@link Manifest}. */
export function manifestFile(run: string): string {
  return `${run}/manifest.json`;
}

/** Returns the name of one of a plan's files, which is a step of applying. */
export function planFile(run: string, index: number): string {
  return `${run}/plan-${index}.jsonl`;
}

/**
 * Returns what the files of an import's plan have.
 *
 * @throws ImportExpiredError if the plan is no longer kept.
 */
export async function readManifest(files: FileOwner, { id, plan }: ImportJob): Promise<Manifest> {
  const text = plan && (await getFile(files, 'plan', manifestFile(plan.run)));
  if (text === undefined) throw new ImportExpiredError(id);
  return JSON.parse(text);
}

/** Returns the rows of one of a plan's files; undefined if it is no longer kept. */
export async function readPlanned(
  files: FileOwner,
  { plan }: ImportJob,
  index: number,
): Promise<PlannedLine[] | undefined> {
  const rows = plan && (await getLines<PlannedLine>(files, 'plan', planFile(plan.run, index)));
  return rows && withFaults(rows);
}

/** Rows of the step that has begun last. */
export const BEGUN = 'begun.json';

/** Returns the name of the file with what applying a step has done. */
export function appliedFile(index: number): string {
  return `applied-${index}.jsonl`;
}

/** Returns the name of the file with what undoing a step has done. */
export function undoneFile(index: number): string {
  return `undone-${index}.jsonl`;
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
