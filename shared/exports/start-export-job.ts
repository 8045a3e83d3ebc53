import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import type { ExportJob, ExportJobInput, FormatChoice } from '../domain/export.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { addExportJob } from '../storage/export-jobs.ts';
import { newExportFile } from './export-file.ts';

/** Two attempts fit into the time that starting a job has. */
const lambda = new LambdaClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
});

/** Starts the export worker asynchronously, and returns the job. */
export async function startExportJob(
  workerArn: string,
  {
    merchantId,
    filter,
    format,
    choice,
    rowsExpected,
  }: {
    readonly merchantId: string;
    readonly filter: CustomerFilter;
    readonly format: FileFormat;
    readonly choice: FormatChoice;
    readonly rowsExpected: number;
  },
): Promise<ExportJob> {
  const id = randomUUID();
  const now = new Date().toISOString();
  const job: ExportJob = {
    id,
    state: 'running',
    format: choice.name,
    file: newExportFile(merchantId, format, id),
    rowsDone: 0,
    rowsExpected,
    started: now,
    updated: now,
  };
  await addExportJob(merchantId, job);
  const input: ExportJobInput = { merchantId, id, format: choice, file: job.file, filter };
  await lambda.send(
    new InvokeCommand({
      FunctionName: workerArn,
      InvocationType: 'Event',
      // Lambda starts one execution for one name, so that a retry whose first response was lost
      // creates no second file.
      DurableExecutionName: id,
      Payload: JSON.stringify(input),
    }),
  );
  return job;
}
