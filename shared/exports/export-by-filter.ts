import { randomUUID } from 'node:crypto';
import { beforeDeadline, untilDeadline } from '../concurrency.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import type { ExportJob, FormatChoice } from '../domain/export.ts';
import { required, requiredNumber } from '../environment.ts';
import { fileFormat } from '../formats/file-format.ts';
import { estimateCount } from '../storage/customer-index.ts';
import { type ExportPage, exportPages } from '../storage/export-pages.ts';
import { type CreatedFile, createFile } from './create-export.ts';
import { newExportFile } from './export-file.ts';
import { withExportLease } from './export-lease.ts';

const EXPORT_WORKER = required('exportWorker');
const MAX_ROWS = requiredNumber('longExportRows');
/** Units of a page whose rows say how large others are. */
const MIN_UNITS = 5;
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
 * @param remainingMs time that the function has left, in milliseconds.
 * @throws RateLimitError if the merchant has too many exports running.
 */
export function exportByFilter(
  merchantId: string,
  filter: CustomerFilter,
  choice: FormatChoice,
  remainingMs: number,
): Promise<ExportResult> {
  const timeout = AbortSignal.timeout(Math.max(0, remainingMs - JOB_START_MS));
  return withExportLease(merchantId, (refused) =>
    exportOrStartJob(merchantId, filter, choice, { timeout, refused }),
  );
}

async function exportOrStartJob(
  merchantId: string,
  filter: CustomerFilter,
  choice: FormatChoice,
  { timeout, refused }: { readonly timeout: AbortSignal; readonly refused: AbortSignal },
): Promise<ExportResult> {
  const format = fileFormat(choice);
  const deadline = AbortSignal.any([timeout, refused]);
  const pages = untilDeadline(deadline, exportPages(merchantId, filter, format));
  let expected: number | undefined;
  let isTooLong = false;
  /** Nothing is uploaded before there are some pages, so that ending at the first costs little. */
  const checkLength = async (page: ExportPage) => {
    if (expected !== undefined) return;
    const maxRows = MAX_ROWS / weightOf(page);
    expected = page.isOnly
      ? page.count
      : await beforeDeadline(deadline, estimateCount(merchantId, filter, maxRows));
    isTooLong = expected > maxRows;
    if (isTooLong) throw new Error('The export is too long for one call.');
  };
  try {
    const file = newExportFile(merchantId, format, randomUUID());
    return { file: await createFile(file, format, pages, { deadline, beforePage: checkLength }) };
  } catch (error) {
    if (refused.aborted || (!timeout.aborted && !isTooLong)) throw error;
  }
  // Loaded on demand: most exports are short, and a cold start of theirs does without Lambda's client.
  const { startExportJob } = await import('./start-export-job.ts');
  const rowsExpected = expected ?? MAX_ROWS;
  const job = { merchantId, filter, format, choice, rowsExpected };
  return { job: await startExportJob(EXPORT_WORKER, job) };
}

/**
 * Returns how many rows of 1 kB take as long to read as a row of this page: the throughput of a
 * partition is limited in read units.
 */
function weightOf({ units, count }: ExportPage): number {
  if (count === 0) return 1;
  // Units are rounded up, which says little of few.
  return units < MIN_UNITS ? 1 : Math.max(1, units / count / UNITS_PER_ROW);
}
