import { randomUUID } from 'node:crypto';
import { isTransient } from '../aws-errors.ts';
import {
  ImportExpiredError,
  ImportNotFoundError,
  ImportStateError,
  RowsToLeaveOutError,
  StalePlanError,
} from '../domain/errors.ts';
import { type Outcome, UNDO_RESULTS } from '../domain/import.ts';
import type { ImportJob, ImportJobInput, ImportPlan, ImportState } from '../domain/import-job.ts';
import {
  IMPORT_CALL_STALLED_S,
  MAX_ROWS_APPLIED_IN_CALL,
  MAX_WRITE_UNITS_IN_CALL,
} from '../domain/limits.ts';
import { required } from '../environment.ts';
import type { References } from '../storage/create-customer.ts';
import {
  getImportJob,
  giveUpImportLock,
  type ImportChanges,
  moveImportJob,
  takeImportLock,
} from '../storage/import-jobs.ts';
import { applyImport, stop, undoImport } from './apply-import.ts';
import { hasFile } from './import-files.ts';
import { appliedFile, countsOf, planFile } from './plan-files.ts';

const WORKER = required('importWorker');

/** How a plan is applied, or an import undone. */
export interface RunOptions {
  /** Whether the plan with a tag is the one that the caller has seen. */
  readonly isExpected: (tag: string) => boolean;
  /** Whether it is done in the background, also if it is little. */
  readonly inBackground: boolean;
  /** Module and service that new customers belong to. */
  readonly references: References;
}

/** Why an import stops whose caller waits, if the table cannot be reached. */
const OUTAGE = {
  code: 'outage',
  detail: 'The register or the file store could not be reached. Send the same request again.',
};

/**
 * Applies the plan of an import, or has it applied in the background. An import that has stopped is
 * continued. Returns the import as it is if that has been done, or is being done.
 *
 * @param options with the outcomes whose rows are left out.
 * @throws ImportNotFoundError
 * @throws StalePlanError if the plan is not the one that the caller has seen.
 * @throws RowsToLeaveOutError if rows are ambiguous or invalid, and are not left out.
 * @throws ImportStateError if there is no plan, the import is undone, or another is being applied.
 * @throws ImportExpiredError if the plan is no longer kept.
 */
export async function applyPlan(
  merchantId: string,
  id: string,
  { leaveOut, ...options }: RunOptions & { readonly leaveOut: readonly Outcome[] },
): Promise<ImportJob> {
  const job = await expectedImport(merchantId, id, options);
  if (job.state === 'applied' || job.state === 'applying') return job;
  const { plan } = job;
  const isStopped = job.state === 'stopped' && !job.undone;
  if (!(isStopped || job.state === 'planned' || job.state === 'expired')) {
    throw new ImportStateError(`The import is ${job.state} and cannot be applied.`);
  }
  if (Date.parse(job.expires ?? '') <= Date.now()) throw new ImportExpiredError(id);
  const next = planFile(plan.run, job.stepsDone);
  const files = { merchantId, importId: id };
  if (job.stepsDone < plan.steps && !(await hasFile(files, 'plan', next))) {
    throw new ImportExpiredError(id);
  }
  const toLeaveOut = (['ambiguous', 'invalid'] as const).filter(
    (outcome) => plan.counts[outcome] > 0 && !(job.leaveOut ?? leaveOut).includes(outcome),
  );
  if (toLeaveOut.length > 0) throw new RowsToLeaveOutError(plan.counts, toLeaveOut);
  return begin(merchantId, job, options, {
    task: 'apply',
    execute: applyImport,
    origins: ['planned', 'stopped'],
    reached: ['applying', 'applied'],
    changes: { state: 'applying', leaveOut: job.leaveOut ?? leaveOut },
    isLong: isLong(plan),
  });
}

/**
 * Undoes what an import has applied, or has it undone in the background, as {@link applyPlan} does.
 *
 * @throws ImportNotFoundError
 * @throws StalePlanError if the plan is not the one that the caller has seen.
 * @throws ImportStateError if nothing has been applied, or another import is being applied.
 * @throws ImportExpiredError if what undoing needs is no longer kept.
 */
export async function undoPlan(
  merchantId: string,
  id: string,
  options: RunOptions,
): Promise<ImportJob> {
  const job = await expectedImport(merchantId, id, options);
  if (job.state === 'undone' || job.state === 'undoing') return job;
  if (job.state !== 'applied' && job.state !== 'stopped') {
    throw new ImportStateError(`The import is ${job.state}, and there is nothing to undo.`);
  }
  if (job.state === 'applied' && Date.parse(job.expires ?? '') <= Date.now()) {
    throw new ImportExpiredError(id);
  }
  const next = appliedFile(job.stepsUndone);
  const files = { merchantId, importId: id };
  if (job.stepsUndone < job.stepsDone && !(await hasFile(files, 'undo', next))) {
    throw new ImportExpiredError(id);
  }
  return begin(merchantId, job, options, {
    task: 'undo',
    execute: undoImport,
    origins: ['applied', 'stopped'],
    reached: ['undoing', 'undone'],
    changes: { state: 'undoing', undone: job.undone ?? countsOf(UNDO_RESULTS, []) },
    isLong: isLong(job.plan),
  });
}

/** Steps that are run while a caller waits. */
const MAX_STEPS_IN_CALL = 10;

/** Returns whether a plan writes more than is written while a caller waits, be it applied or undone. */
function isLong({ counts, writeUnits, steps }: ImportPlan): boolean {
  return (
    counts.create + counts.update > MAX_ROWS_APPLIED_IN_CALL ||
    writeUnits > MAX_WRITE_UNITS_IN_CALL ||
    steps > MAX_STEPS_IN_CALL
  );
}

async function expectedImport(
  merchantId: string,
  id: string,
  { isExpected }: Pick<RunOptions, 'isExpected'>,
): Promise<ImportJob & { readonly plan: ImportPlan }> {
  const job = await getImportJob(merchantId, id);
  if (!job) throw new ImportNotFoundError(id);
  const { plan } = job;
  if (!plan) throw new ImportStateError(`The import is ${job.state}, and has no plan yet.`);
  if (!isExpected(plan.tag)) throw new StalePlanError(id);
  return { ...job, plan };
}

/** What is to be done. */
interface Task {
  readonly task: 'apply' | 'undo';
  readonly execute: typeof applyImport | typeof undoImport;
  readonly origins: readonly ImportState[];
  /** States of an import of which another call has begun the same. */
  readonly reached: readonly ImportState[];
  readonly changes: ImportChanges;
  /** Whether it takes longer than a caller waits. */
  readonly isLong: boolean;
}

async function begin(
  merchantId: string,
  { id }: ImportJob,
  { references, inBackground }: Omit<RunOptions, 'isExpected'>,
  { task, execute, origins, reached, changes, isLong }: Task,
): Promise<ImportJob> {
  const run = randomUUID();
  const { holder, from } = await takeImportLock(merchantId, id, run);
  if (holder !== undefined && holder !== id) {
    throw new ImportStateError('Another import is being applied or undone. Wait for it.', holder);
  }
  const isWaitedFor = !isLong && !inBackground;
  const stalledAfterS = isWaitedFor ? IMPORT_CALL_STALLED_S : undefined;
  const origin = { states: origins };
  const begun = { ...changes, run, rowsDone: 0, reason: undefined };
  const move = async () => {
    try {
      return await moveImportJob(merchantId, id, origin, begun, stalledAfterS);
    } catch (error) {
      // It may have begun, with nobody to go on.
      await stop({ merchantId, importId: id, run }, OUTAGE).catch(() => {});
      throw error;
    }
  };
  const job = holder === undefined ? await move() : undefined;
  if (!job) {
    // Another call was first.
    const current = await getImportJob(merchantId, id);
    if (holder === undefined) await giveUpImportLock(merchantId, current, { run, from });
    if (!current) throw new ImportNotFoundError(id);
    if (reached.includes(current.state)) return current;
    throw new ImportStateError(`Another call was first: the import is ${current.state}.`);
  }
  const applyRun = { merchantId, job, run, references, stalledAfterS };
  if (isWaitedFor) {
    try {
      await execute({ ...applyRun, step: (_name, work) => work() });
    } catch (error) {
      await stop({ merchantId, importId: id, run }, isTransient(error) ? OUTAGE : DEFECT);
      throw error;
    }
    return (await getImportJob(merchantId, id)) ?? job;
  }
  // Loaded on demand: most imports are small.
  const { startFailure, startWorker } = await import('../exports/start-worker.ts');
  const input: ImportJobInput = { merchantId, importId: id, run, task, references };
  try {
    await startWorker(WORKER, run, input);
  } catch (error) {
    await stop({ merchantId, importId: id, run }, OUTAGE);
    throw startFailure(error, 'The import');
  }
  return job;
}

const DEFECT = {
  code: 'defect',
  detail: 'A defect of the API stopped the import. Report it with its importId.',
};
