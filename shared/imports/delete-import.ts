import { ImportNotFoundError } from '../domain/errors.ts';
import { type ImportJob, type ImportState, STOPPED_BY_REQUEST } from '../domain/import-job.ts';
import { getImportJob, moveImportJob } from '../storage/import-jobs.ts';
import { deleteFiles } from './import-files.ts';

const STOPPED = {
  code: STOPPED_BY_REQUEST,
  detail: 'The import was stopped. Apply it again to continue it, or undo it.',
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

/**
 * Stops an import that is being applied or undone, after its current step. Of any other the files are
 * deleted at once, and what is known of its file; it is `canceled` then. May be repeated.
 *
 * @throws ImportNotFoundError
 */
export async function deleteImport(merchantId: string, id: string): Promise<ImportJob> {
  if (!(await getImportJob(merchantId, id))) throw new ImportNotFoundError(id);
  const stopped = await moveImportJob(
    merchantId,
    id,
    { states: STOPPABLE },
    { state: 'stopped', reason: STOPPED },
  );
  if (stopped) return stopped;
  const canceled = await moveImportJob(
    merchantId,
    id,
    { states: IDLE },
    { state: 'canceled', facts: undefined, reason: undefined, run: undefined },
  );
  if (!canceled) throw new ImportNotFoundError(id);
  await deleteFiles({ merchantId, importId: id });
  return canceled;
}
