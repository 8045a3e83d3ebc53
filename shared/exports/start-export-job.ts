import { createHash } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { isTransient, loggable } from '../aws-errors.ts';
import type { LogPosition } from '../domain/changes.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import { UnavailableError } from '../domain/errors.ts';
import type { ExportJob, ExportJobInput, FormatChoice } from '../domain/export.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { addExportJob, withdrawExportJob } from '../storage/export-jobs.ts';
import { addRunningExport } from '../storage/running-exports.ts';
import { newExportFile } from './export-file.ts';
import { newExportId } from './export-id.ts';

/** When to retry if Lambda does not start the worker. */
const RETRY_AFTER_S = 5;

/** Two attempts fit into the time that starting a job has. */
const lambda = new LambdaClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
});

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
    await startWorker(workerArn, { merchantId, id, format: choice, file: job.file, filter });
  } catch (error) {
    await withdrawExportJob(merchantId, id).catch(() => {
      // Without a worker it is reported as failed later; a worker completes it.
    });
    throw isRefusal(error) ? unavailable(error) : error;
  }
  return job;
}

async function startWorker(workerArn: string, input: ExportJobInput): Promise<void> {
  await lambda.send(
    new InvokeCommand({
      FunctionName: workerArn,
      InvocationType: 'Event',
      // Lambda starts one execution for one name, so that a retry whose first response was lost
      // creates no second file.
      DurableExecutionName: input.id,
      Payload: JSON.stringify(input),
    }),
  );
}

/** Lambda throttles invocations with 429, which other services do not send. */
function isRefusal(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return isTransient(error) || $metadata?.httpStatusCode === 429;
}

function unavailable(error: unknown): UnavailableError {
  console.warn({ message: 'A long export could not be started', ...loggable(error) });
  return new UnavailableError('A long export cannot be started at the moment.', RETRY_AFTER_S);
}

/** Texts that are searched for are personal data, and are not stored. */
function hash(input: { readonly choice: FormatChoice; readonly filter: CustomerFilter }): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('base64url');
}
