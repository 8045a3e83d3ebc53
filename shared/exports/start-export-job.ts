import { createHash } from 'node:crypto';
import type { LogPosition } from '../domain/changes.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import type { ExportJob, ExportJobInput, FormatChoice } from '../domain/export.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { addExportJob, withdrawExportJob } from '../storage/export-jobs.ts';
import { addRunningExport } from '../storage/running-exports.ts';
import { newExportFile } from './export-file.ts';
import { newExportId } from './export-id.ts';
import { startFailure, startWorker } from './start-worker.ts';

/**
 * Starts the export worker asynchronously, and returns the job. If the same export runs already, with
 * the same format and filter, returns its job.
 *
 * @throws RateLimitError if the merchant has too many long exports running.
 * @throws UnavailableError if the worker cannot be started; there is no job then.
 */
export async function startExportJob(
  workerArn: string,
  {
    merchantId,
    filter,
    format,
    choice,
    rowsExpected,
    changesFrom,
  }: {
    readonly merchantId: string;
    readonly filter: CustomerFilter;
    readonly format: FileFormat;
    readonly choice: FormatChoice;
    readonly rowsExpected: number;
    readonly changesFrom: LogPosition;
  },
): Promise<ExportJob> {
  const id = newExportId();
  const running = await addRunningExport(merchantId, id, hash({ choice, filter }));
  if (running) return running;
  const now = new Date().toISOString();
  const job: ExportJob = {
    id,
    state: 'running',
    format: choice.name,
    file: newExportFile(merchantId, format, id),
    rowsDone: 0,
    rowsExpected,
    changesFrom,
    started: now,
    updated: now,
  };
  try {
    await addExportJob(merchantId, job);
    const input: ExportJobInput = { merchantId, id, format: choice, file: job.file, filter };
    await startWorker(workerArn, id, input);
  } catch (error) {
    await withdrawExportJob(merchantId, id).catch(() => {
      // Without a worker it is reported as failed later; a worker completes it.
    });
    throw startFailure(error, 'A long export');
  }
  return job;
}

/** Texts that are searched for are personal data, and are not stored. */
function hash(input: { readonly choice: FormatChoice; readonly filter: CustomerFilter }): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('base64url');
}
