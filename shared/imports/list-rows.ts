import { mapAhead } from '../concurrency.ts';
import { ImportExpiredError } from '../domain/errors.ts';
import type {
  AppliedRow,
  Outcome,
  PlannedRow,
  Result,
  UndoneRow,
  UndoResult,
} from '../domain/import.ts';
import type { ImportJob } from '../domain/import-job.ts';
import { MAX_RESPONSE_BYTES } from '../domain/limits.ts';
import { escapedBytes } from '../formats/json.ts';
import { type FileOwner, getLines } from './import-files.ts';
import { appliedFile, readManifest, readPlanned, undoneFile } from './plan-files.ts';

/** Files that are read for one page, and of them concurrently. */
const MAX_FILES = 40;
const CONCURRENT_FILES = 4;

/** Which rows of an import are listed. */
export interface RowFilter {
  /** @default - every outcome */
  readonly outcome?: readonly Outcome[] | undefined;
  /** @default - every result, and rows without one */
  readonly result?: readonly Result[] | undefined;
  /** Number of the row after which the page begins. */
  readonly after: number;
  readonly limit: number;
}

/** A row of an import: what is planned, what was done, and what undoing did. */
type ListedRow = PlannedRow & {
  readonly result?: Result;
  readonly undone?: UndoResult;
};

/** A page of rows. */
export interface RowPage {
  readonly rows: readonly ListedRow[];
  /** Number of the row after which the next page begins; undefined on the last page. */
  readonly next?: number | undefined;
}

/**
 * Returns the rows of an import that meet a filter, in the order of the file. A page ends early if many
 * rows were passed over, or before it would be larger than a response can be.
 *
 * @throws ImportExpiredError if the plan is no longer kept.
 */
export async function listRows(
  merchantId: string,
  job: ImportJob,
  { outcome, result, after, limit }: RowFilter,
): Promise<RowPage> {
  const files = { merchantId, importId: job.id };
  const manifest = await readManifest(files, job);
  const steps = manifest.steps
    .map((step, index) => ({ ...step, index }))
    .filter(
      ({ last, counts }) => last > after && (outcome?.some((name) => counts[name] > 0) ?? true),
    );
  const rows: ListedRow[] = [];
  let bytes = 0;
  const read = steps.slice(0, MAX_FILES);
  for await (const some of mapAhead(read, CONCURRENT_FILES, ({ index }) =>
    readStep(files, job, index),
  )) {
    for (const row of some) {
      if (row.row <= after || (outcome && !outcome.includes(row.outcome))) continue;
      if (result && !(row.result && result.includes(row.result))) continue;
      bytes += escapedBytes(Buffer.from(`${JSON.stringify(row)},`));
      if (rows.length === limit || bytes > MAX_RESPONSE_BYTES) {
        return { rows, next: rows.at(-1)?.row };
      }
      rows.push(row);
    }
  }
  return { rows, next: steps.length > read.length ? read.at(-1)?.last : undefined };
}

async function readStep(files: FileOwner, job: ImportJob, index: number): Promise<ListedRow[]> {
  const [planned, applied = [], undone = []] = await Promise.all([
    readPlanned(files, job, index),
    index < job.stepsDone ? getLines<AppliedRow>(files, 'undo', appliedFile(index)) : [],
    index < job.stepsUndone ? getLines<UndoneRow>(files, 'undo', undoneFile(index)) : [],
  ]);
  if (!planned) throw new ImportExpiredError(job.id);
  const results = new Map(applied.map((each) => [each.row, each]));
  const undoResults = new Map(undone.map((each) => [each.row, each.result]));
  return planned.map(({ cells, ...row }): ListedRow => {
    const done = results.get(row.row);
    return {
      ...row,
      ...(done && { result: done.result }),
      // The id of a customer that the import has created.
      ...(done && 'id' in done && done.id !== undefined && { id: done.id }),
      ...(undoResults.has(row.row) && { undone: undoResults.get(row.row) as UndoResult }),
    };
  });
}
