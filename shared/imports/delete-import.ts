import { ImportNotFoundError, UnavailableError } from '../domain/errors.ts';
import { type ImportJob, type ImportState, STOPPED_BY_REQUEST } from '../domain/import-job.ts';
import {
  getImportJob,
  type ImportChanges,
  isStopping,
  moveImportJob,
} from '../storage/import-jobs.ts';
import { deleteFiles } from './import-files.ts';

const STOPPED: ImportChanges = {
  state: 'stopped',
  reason: {
    code: STOPPED_BY_REQUEST,
    detail: 'The import was stopped. Apply it again to continue it, or undo it.',
  },
};
const CANCELED: ImportChanges = {
  state: 'canceled',
  facts: undefined,
  reason: undefined,
  run: undefined,
};

const STOPPABLE: readonly ImportState[] = ['applying', 'undoing'];
/** States of an import that writes no customers. */
const IDLE: readonly ImportState[] = [
  'awaitingFile',
  'reading',
  'planned',
  'applied',
  'undone',
  'stopped',
  'failed',
  'canceled',
];

/** Attempts to stop or cancel an import, each after another call has moved it. */
const MAX_ATTEMPTS = 5;

/**
 * Stops an import that is being applied or undone, after its current step; until that has ended a repeat
 * changes nothing. Of any other the files are deleted at once, and what is known of its file; it is
 * `canceled` then.
 *
 * @throws ImportNotFoundError
 */
export async function deleteImport(merchantId: string, id: string): Promise<ImportJob> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const job = await getImportJob(merchantId, id);
    if (!job) throw new ImportNotFoundError(id);
    if (job.state === 'stopped' && (await isStopping(merchantId, job))) return job;
    const moved = STOPPABLE.includes(job.state)
      ? await moveImportJob(merchantId, id, { states: STOPPABLE }, STOPPED)
      : await moveImportJob(merchantId, id, { states: IDLE }, CANCELED);
    if (moved?.state === 'canceled') await deleteFiles({ merchantId, importId: id });
    if (moved) return moved;
  }
  throw new UnavailableError();
}
