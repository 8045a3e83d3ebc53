import { randomUUID } from 'node:crypto';
import {
  ImportExpiredError,
  ImportFailedError,
  ImportNotFoundError,
  ImportStateError,
  RateLimitError,
} from '../domain/errors.ts';
import type { ImportOptions } from '../domain/import.ts';
import type { ImportJob, ImportState } from '../domain/import-job.ts';
import {
  IMPORT_CALL_STALLED_S,
  IMPORT_PLAN_LIFETIME_S,
  MAX_BYTES_PLANNED_IN_CALL,
  MAX_PLANNING_IN_CALL_MS,
  MAX_ROWS_PLANNED_IN_CALL,
  MAX_WAITING_IMPORTS,
} from '../domain/limits.ts';
import { required } from '../environment.ts';
import { newExportId } from '../exports/export-id.ts';
import {
  addImportJob,
  getImportJob,
  listImportJobs,
  moveImportJob,
} from '../storage/import-jobs.ts';
import { deleteFiles, getSentFile, putFile, SENT } from './import-files.ts';

const PLANNER = required('importPlanner');
/** When to retry if too many imports await their files. */
const RETRY_AFTER_S = 60;

/** How a file is planned. */
export interface PlanOptions {
  /** Whether it is planned in the background, also if it is small. */
  readonly inBackground: boolean;
}

/**
 * Creates an import, which awaits its file.
 *
 * @throws RateLimitError if too many imports of the merchant do.
 */
export async function createImport(
  merchantId: string,
  options: ImportOptions,
  { filename, bytes, sha256 }: Pick<ImportJob, 'filename' | 'bytes' | 'sha256'>,
): Promise<ImportJob> {
  const imports = await listImportJobs(merchantId);
  const waiting = imports.filter(({ state }) => state === 'awaitingFile');
  if (waiting.length >= MAX_WAITING_IMPORTS) {
    const detail =
      `${MAX_WAITING_IMPORTS} imports of yours await their files, and no more may. ` +
      'Send a file, or delete an import.';
    throw new RateLimitError(detail, RETRY_AFTER_S);
  }
  const now = new Date();
  const job: ImportJob = {
    id: newExportId(),
    state: 'awaitingFile',
    options,
    filename,
    bytes,
    sha256,
    rowsDone: 0,
    stepsDone: 0,
    stepsUndone: 0,
    started: now.toISOString(),
    updated: now.toISOString(),
    expires: new Date(now.getTime() + IMPORT_PLAN_LIFETIME_S * 1_000).toISOString(),
  };
  await addImportJob(merchantId, job);
  return job;
}

/**
 * Creates an import of a file that was sent in a request, and plans it.
 *
 * @throws what {@link planFileOf} throws.
 */
export async function importSentFile(
  merchantId: string,
  options: ImportOptions,
  bytes: Uint8Array,
  planOptions: PlanOptions,
): Promise<ImportJob> {
  const job = await createImport(merchantId, options, { bytes: bytes.length });
  try {
    await putFile({ merchantId, importId: job.id }, 'upload', SENT, bytes);
    return await planOrStart(merchantId, job, planOptions);
  } catch (error) {
    // Its caller does not know of it, and sends the file again.
    if (!(error instanceof ImportFailedError)) await withdraw(merchantId, job).catch(() => {});
    throw error;
  }
}

/** Deletes an import that could not be planned. */
async function withdraw(merchantId: string, { id }: ImportJob): Promise<void> {
  const origin = { states: ['awaitingFile'] } as const;
  const canceled = await moveImportJob(merchantId, id, origin, { state: 'canceled' });
  if (canceled) await deleteFiles({ merchantId, importId: id }, ['upload', 'plan']);
}

/** States from which an import is planned: of one that failed the file may still be there. */
const ORIGINS: readonly ImportState[] = ['awaitingFile', 'failed'];

/**
 * Plans the file of an import, or has it planned in the background. Returns the import as it is if that
 * has been done, or is being done.
 *
 * @throws ImportNotFoundError
 * @throws ImportStateError if there is no file yet, or the import has been applied.
 * @throws ImportExpiredError if the file is no longer kept.
 * @throws ImportFailedError if the file cannot be read.
 * @throws UnavailableError if the planner cannot be started; the call can be repeated.
 */
export async function planFileOf(
  merchantId: string,
  id: string,
  options: PlanOptions,
): Promise<ImportJob> {
  const job = await getImportJob(merchantId, id);
  if (!job) throw new ImportNotFoundError(id);
  if (job.state === 'planned' || job.state === 'reading') return job;
  if (job.state === 'expired') throw new ImportExpiredError(id);
  if (!ORIGINS.includes(job.state)) {
    throw new ImportStateError(`The import is ${job.state} and cannot be planned again.`);
  }
  const file = await getSentFile({ merchantId, importId: id });
  if (!file) {
    if (job.state === 'failed' && job.reason) throw new ImportFailedError(id, job.reason);
    throw new ImportStateError('There is no file yet. Send it by the request in `upload`.');
  }
  const isLarge = file.bytes > MAX_BYTES_PLANNED_IN_CALL;
  return planOrStart(merchantId, job, { inBackground: isLarge || options.inBackground });
}

async function planOrStart(
  merchantId: string,
  job: ImportJob,
  { inBackground }: PlanOptions,
): Promise<ImportJob> {
  if (!inBackground) {
    const planned = await planNow(merchantId, job);
    if (planned) return planned;
  }
  const run = randomUUID();
  const reading = await beginReading(merchantId, job, run);
  if (reading.run !== run) return reading;
  // Loaded on demand: most imports are planned at once, and that needs no client of Lambda.
  const { startFailure, startWorker } = await import('../exports/start-worker.ts');
  try {
    await startWorker(PLANNER, run, { merchantId, importId: job.id, run, task: 'plan' });
  } catch (error) {
    await awaitAgain(merchantId, job, run);
    throw startFailure(error, 'A plan');
  }
  return reading;
}

/** Plans the file; undefined if that takes too long. */
async function planNow(merchantId: string, job: ImportJob): Promise<ImportJob | undefined> {
  const run = randomUUID();
  const reading = await beginReading(merchantId, job, run, IMPORT_CALL_STALLED_S);
  if (reading.run !== run) return reading;
  // Loaded on demand: an import whose file is sent later needs no parser.
  const { planImport, TooLongForCallError } = await import('./plan-import.ts');
  try {
    const planned = await planImport({
      merchantId,
      job: reading,
      run,
      step: (_name, work) => work(),
      callLimits: {
        maxRows: MAX_ROWS_PLANNED_IN_CALL,
        deadlineMs: Date.now() + MAX_PLANNING_IN_CALL_MS,
      },
      stalledAfterS: IMPORT_CALL_STALLED_S,
    });
    if (!planned) throw new ImportNotFoundError(job.id);
    if (planned.reason) throw new ImportFailedError(job.id, planned.reason);
    return planned;
  } catch (error) {
    if (error instanceof ImportFailedError || error instanceof ImportNotFoundError) throw error;
    await awaitAgain(merchantId, job, run);
    if (error instanceof TooLongForCallError) return undefined;
    throw error;
  }
}

/** Returns the import as it is being read by the run, or as another call has moved it. */
async function beginReading(
  merchantId: string,
  { id }: ImportJob,
  run: string,
  stalledAfterS?: number,
): Promise<ImportJob> {
  const origin = { states: ORIGINS };
  const changes = { state: 'reading', run, rowsDone: 0, reason: undefined } as const;
  const reading =
    (await moveImportJob(merchantId, id, origin, changes, stalledAfterS)) ??
    (await getImportJob(merchantId, id));
  if (!reading) throw new ImportNotFoundError(id);
  return reading;
}

/** Lets an import be planned by another call, after one that could not. */
async function awaitAgain(merchantId: string, { id }: ImportJob, run: string): Promise<void> {
  const origin = { states: ['reading'], run } as const;
  await moveImportJob(merchantId, id, origin, { state: 'awaitingFile', run: undefined });
}
