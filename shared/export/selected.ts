import { randomUUID } from 'node:crypto';
import { required } from '../config.ts';
import type { Selection } from '../customer/filters.ts';
import { before, until } from '../deadline.ts';
import type { Answer, Request } from '../http/endpoint.ts';
import { begun } from '../parallel.ts';
import { rowWriter } from '../rows/row-writer.ts';
import { estimateSelected } from '../store/estimate.ts';
import { addExportJob } from '../store/export-jobs.ts';
import { selectedRows } from '../store/export-rows.ts';
import { answerExport } from './export.ts';
import { exportFile } from './file.ts';
import type { Format } from './format.ts';
import { describeJob, type ExportJob, jobPath, pollHeaders } from './job.ts';
import { startRunner } from './runner.ts';

const EXPORT_RUNNER = required('exportRunner');
const LONG_EXPORT_ROWS = Number(required('longExportRows'));
/** What handing over needs of a function's time: an upload is aborted, a job written, one call. */
const HAND_OVER_MS = 5_000;

/**
 * Exports the selected customers. What should take longer than the caller can wait, or turns out
 * to, is handed over to a durable function: the answer is then 202 with where to ask for it.
 */
export async function answerSelectedExport(
  request: Request,
  format: Format,
  selection: Selection,
): Promise<Answer> {
  const { merchant, remainingMs } = request;
  const deadline = AbortSignal.timeout(Math.max(0, remainingMs() - HAND_OVER_MS));
  let expected = LONG_EXPORT_ROWS;
  try {
    // Most exports are short: while it is found out, the first page is read.
    const rows = begun(until(deadline, selectedRows(merchant, selection, rowWriter(format))));
    expected = await before(deadline, estimateSelected(merchant, selection, LONG_EXPORT_ROWS));
    if (expected <= LONG_EXPORT_ROWS) {
      return await answerExport(request, format, rows, { deadline });
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
  }
  return handOver(request, format, expected);
}

async function handOver(
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
  await startRunner(EXPORT_RUNNER, {
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
