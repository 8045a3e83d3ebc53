import { randomUUID } from 'node:crypto';
import { beforeDeadline, untilDeadline } from '../concurrency.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import type { ExportJob, FormatChoice } from '../domain/export.ts';
import { required, requiredNumber } from '../environment.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { type ExportPage, ExportSource } from '../storage/export-pages.ts';
import { type CreatedFile, createFile, startOfChanges } from './create-export.ts';
import { newExportFile } from './export-file.ts';
import { withExportLease } from './export-lease.ts';

const EXPORT_WORKER = required('exportWorker');
const MAX_ROWS = requiredNumber('longExportRows');
/** Read units of a customer of 1 kB, eventually consistent. */
const UNITS_PER_ROW = 0.125;
/** The part of a function's time that starting a job needs: abort an upload, store the job, invoke. */
const JOB_START_MS = 5_000;

/** Either the completed file, or the job that continues the export in the background. */
export type ExportResult = { readonly file: CreatedFile } | { readonly job: ExportJob };

/**
 * Exports the customers that meet the filter. An export that is estimated to take longer than its
 * caller can wait, or turns out to, is continued by a background job.
 *
 * @param choice by which a background job makes the same format.
 * @param remainingMs time that the function has left, in milliseconds.
 * @throws RateLimitError if the merchant has too many exports running.
 */
export function exportByFilter(
  merchantId: string,
  filter: CustomerFilter,
  { format, choice }: { readonly format: FileFormat; readonly choice: FormatChoice },
  remainingMs: number,
): Promise<ExportResult> {
  const timeout = AbortSignal.timeout(Math.max(0, remainingMs - JOB_START_MS));
  return withExportLease(merchantId, (refused) =>
    exportOrStartJob(merchantId, filter, { format, choice, timeout, refused }),
  );
}

async function exportOrStartJob(
  merchantId: string,
  filter: CustomerFilter,
  {
    format,
    choice,
    timeout,
    refused,
  }: {
    readonly format: FileFormat;
    readonly choice: FormatChoice;
    readonly timeout: AbortSignal;
    readonly refused: AbortSignal;
  },
): Promise<ExportResult> {
  const deadline = AbortSignal.any([timeout, refused]);
  const changesFrom = startOfChanges(merchantId);
  const source = new ExportSource(merchantId, filter, format);
  let expected: number | undefined;
  let isTooLong = false;
  /** Nothing is uploaded before there are some pages, so that ending at the first costs little. */
  const checkLength = async (page: ExportPage) => {
    if (expected !== undefined) return;
    const { rows, units } = page.isOnly
      ? { rows: page.count, units: 0 }
      : await beforeDeadline(deadline, source.length());
    expected = rows;
    // The throughput of a partition is limited in read units: large customers count as several rows.
    isTooLong = Math.max(rows, units / UNITS_PER_ROW) > MAX_ROWS;
    if (isTooLong) throw new Error('The export is too long for one call.');
  };
  try {
    const file = newExportFile(merchantId, format, randomUUID());
    const pages = untilDeadline(deadline, source.pages());
    const options = { changesFrom, deadline, beforePage: checkLength };
    return { file: await createFile(file, format, pages, options) };
  } catch (error) {
    if (refused.aborted || (!timeout.aborted && !isTooLong)) throw error;
  }
  // Loaded on demand: most exports are short, and a cold start of theirs does without Lambda's client.
  const { startExportJob } = await import('./start-export-job.ts');
  const rowsExpected = expected ?? MAX_ROWS;
  const job = { merchantId, filter, format, choice, rowsExpected, changesFrom: await changesFrom };
  return { job: await startExportJob(EXPORT_WORKER, job) };
}
