import { randomUUID } from 'node:crypto';
import type { Format } from '../formats/export-format.ts';
import type { Answer, Request } from '../http/endpoint.ts';
import { addExportJob } from '../storage/export-jobs.ts';
import { exportFile } from './export-file.ts';
import { describeJob, type ExportJob, jobPath, pollHeaders } from './job.ts';
import { startRunner } from './runner.ts';

/**
 * Leaves an export to the durable function.
 *
 * @param runner ARN of that function.
 * @param rowsExpected about how many customers there will be.
 * @returns 202 with where to ask for the export.
 */
export async function handOver(
  runner: string,
  { merchant, query }: Request,
  format: Format,
  rowsExpected: number,
): Promise<Answer> {
  const id = randomUUID();
  const now = new Date().toISOString();
  const job: ExportJob = {
    id,
    state: 'running',
    format: format.extension,
    file: exportFile(merchant, format, id),
    rowsDone: 0,
    rowsExpected,
    started: now,
    updated: now,
  };
  await addExportJob(merchant, job);
  await startRunner(runner, {
    merchant,
    id,
    format: job.format,
    file: job.file,
    query: query.text,
  });
  return {
    status: 202,
    headers: { location: jobPath(id), ...pollHeaders(job) },
    body: await describeJob(job),
  };
}
