import {
  type AppliedRow,
  type PlannedRow,
  RESULTS,
  type Result,
  UNDO_RESULTS,
  type UndoneRow,
  type UndoResult,
} from '../domain/import.ts';
import type { Counts, ImportJob, ImportJobInput, ImportReason } from '../domain/import-job.ts';
import { IMPORT_LIFETIME_S } from '../domain/limits.ts';
import type { Step } from '../exports/durable-steps.ts';
import type { References } from '../storage/create-customer.ts';
import { type ImportChanges, moveImportJob, releaseImportLock } from '../storage/import-jobs.ts';
import { applyRows } from './apply-rows.ts';
import { type FileOwner, getFile, getLines, putFile, toLines } from './import-files.ts';
import {
  appliedFile,
  BEGUN,
  countsOf,
  readPlanned,
  sumOfCounts,
  undoneFile,
} from './plan-files.ts';
import { undoRows } from './undo-rows.ts';

/** A run that applies or undoes an import, which has the merchant's lock. */
export interface ApplyRun {
  readonly merchantId: string;
  /** As it was when the run began. */
  readonly job: ImportJob;
  readonly run: string;
  /** Runs a part of the work, once even if a run is interrupted and begins again. */
  readonly step: Step;
  /** Module and service that new customers belong to. */
  readonly references: References;
  /** Called after each step, such as to end an invocation that has run for long. */
  readonly afterStep?: (index: number) => Promise<void>;
  /** Seconds after which the run, without progress, has ended. */
  readonly stalledAfterS?: number | undefined;
}

/** The rows of a step that has begun, of which some may be applied. */
interface BegunStep {
  readonly index: number;
  readonly rows: readonly PlannedRow[];
}

/** Why an import cannot be continued whose plan is not kept any more. */
const PLAN_EXPIRED: ImportReason = {
  code: 'planExpired',
  detail: 'The plan is no longer kept. What is applied can be undone.',
};

/**
 * Applies the plan of an import from the first step on that is not applied. It ends after a step if the
 * import was stopped meanwhile.
 */
export async function applyImport(applyRun: ApplyRun): Promise<void> {
  const { merchantId, job, run, step, afterStep } = applyRun;
  const release = () => releaseImportLock(merchantId, run);
  const files = filesOf(applyRun);
  let results = job.results ?? countsOf(RESULTS, []);
  for (let index = job.stepsDone; index < (job.plan?.steps ?? 0); index += 1) {
    const before = results;
    const done = await step(`apply ${index}`, async () => {
      const lines = await readPlanned(files, job, index);
      if (!lines) return stop({ ...applyRun, importId: job.id }, PLAN_EXPIRED);
      const rows = lines.map(({ name, customerid, cells, ...row }): PlannedRow => row);
      // Undoing completes the step, if it is interrupted and the plan is no longer kept.
      await putFile(files, 'undo', BEGUN, JSON.stringify({ index, rows } satisfies BegunStep));
      // A run that is late must not apply more once an undo, which reads this file first, has begun.
      if (!(await goesOn(applyRun))) return null;
      return applyStep(applyRun, files, { index, rows }, before);
    });
    if (done === null) return step('release', release);
    results = done;
    await afterStep?.(index);
  }
  await step('note applied', () => end(applyRun, { state: 'applied' }));
}

/**
 * Undoes what an import has applied, from the first step on that is not undone. A step that was
 * interrupted is completed first, since not all is known of it.
 */
export async function undoImport(undoRun: ApplyRun): Promise<void> {
  const { merchantId, job, run, step, afterStep } = undoRun;
  const release = () => releaseImportLock(merchantId, run);
  const files = filesOf(undoRun);
  const stepsDone = await step('complete', async () => {
    const text = await getFile(files, 'undo', BEGUN);
    const begun: BegunStep | undefined = text && JSON.parse(text);
    if (begun?.index !== job.stepsDone) return job.stepsDone;
    await applyStep(undoRun, files, begun, job.results ?? countsOf(RESULTS, []));
    return job.stepsDone + 1;
  });
  let undone = job.undone ?? countsOf(UNDO_RESULTS, []);
  for (let index = job.stepsUndone; index < stepsDone; index += 1) {
    const before = undone;
    const done = await step(`undo ${index}`, () => undoStep(undoRun, files, index, before));
    if (done === null) return step('release', release);
    undone = done;
    await afterStep?.(index);
  }
  await step('note undone', () => end(undoRun, { state: 'undone', undone }));
}

/**
 * Applies the rows of a step, and stores what undoing needs.
 *
 * @returns the results so far; null if the import was stopped.
 */
async function applyStep(
  applyRun: ApplyRun,
  files: FileOwner,
  { index, rows }: BegunStep,
  before: Counts<Result>,
): Promise<Counts<Result> | null> {
  const { merchantId, job, references } = applyRun;
  const applied = await applyRows(merchantId, job.id, rows, { references });
  await putFile(files, 'undo', appliedFile(index), toLines(applied));
  const counts = countsOf(
    RESULTS,
    applied.map(({ result }) => result),
  );
  const results = sumOfCounts(RESULTS, [before, counts]);
  const rowsDone = Object.values(results).reduce((sum, count) => sum + count, 0);
  return (await progress(applyRun, { stepsDone: index + 1, results, rowsDone })) ? results : null;
}

async function undoStep(
  undoRun: ApplyRun,
  files: FileOwner,
  index: number,
  before: Counts<UndoResult>,
): Promise<Counts<UndoResult> | null> {
  const applied = await getLines<AppliedRow>(files, 'undo', appliedFile(index));
  if (!applied) return stop({ ...undoRun, importId: undoRun.job.id }, UNDO_EXPIRED);
  const rows: readonly UndoneRow[] = await undoRows(undoRun.merchantId, undoRun.job.id, applied);
  await putFile(files, 'undo', undoneFile(index), toLines(rows));
  const counts = countsOf(
    UNDO_RESULTS,
    rows.map(({ result }) => result),
  );
  const undone = sumOfCounts(UNDO_RESULTS, [before, counts]);
  const rowsDone = Object.values(undone).reduce((sum, count) => sum + count, 0);
  return (await progress(undoRun, { stepsUndone: index + 1, undone, rowsDone })) ? undone : null;
}

const UNDO_EXPIRED: ImportReason = {
  code: 'undoExpired',
  detail: 'What undoing needs is no longer kept.',
};

/**
 * Notes what a step has done, also if the import was stopped during the step.
 *
 * @returns whether it goes on.
 */
async function progress(
  { merchantId, job, run, stalledAfterS }: ApplyRun,
  changes: ImportChanges,
): Promise<boolean> {
  const states = ['applying', 'undoing', 'stopped'] as const;
  const moved = await moveImportJob(merchantId, job.id, { states, run }, changes, stalledAfterS);
  return moved !== undefined && moved.state !== 'stopped';
}

/** Returns whether an import is being applied by this run. */
async function goesOn({ merchantId, job, run, stalledAfterS }: ApplyRun): Promise<boolean> {
  const origin = { states: ['applying'], run } as const;
  return (await moveImportJob(merchantId, job.id, origin, {}, stalledAfterS)) !== undefined;
}

async function end({ merchantId, job, run }: ApplyRun, changes: ImportChanges): Promise<void> {
  const expires = new Date(Date.now() + IMPORT_LIFETIME_S * 1_000).toISOString();
  const states = ['applying', 'undoing'] as const;
  const ended = { ...changes, expires, reason: undefined };
  await moveImportJob(merchantId, job.id, { states, run }, ended);
  await releaseImportLock(merchantId, run);
}

/** Stops an import, so that it can be continued or undone. */
export async function stop(
  { merchantId, importId, run }: Pick<ImportJobInput, 'merchantId' | 'importId' | 'run'>,
  reason: ImportReason,
): Promise<null> {
  const states = ['applying', 'undoing'] as const;
  const changes = { state: 'stopped', reason } as const;
  await moveImportJob(merchantId, importId, { states, run }, changes);
  await releaseImportLock(merchantId, run);
  return null;
}

function filesOf({ merchantId, job }: ApplyRun): FileOwner {
  return { merchantId, importId: job.id };
}
