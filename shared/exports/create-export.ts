import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { beforeDeadline, untilDeadline } from '../concurrency.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import { EmptyExportError } from '../domain/errors.ts';
import type { ExportFile, ExportJob, FormatChoice } from '../domain/export.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { estimateCount } from '../storage/customer-index.ts';
import { type ExportPage, exportPages, exportPagesByIds } from '../storage/export-pages.ts';
import { newExportFile, presign, uploadTarget } from './export-file.ts';
import { MultipartUpload } from './multipart-upload.ts';

/** The part of a function's time that starting a job needs: abort an upload, store the job, invoke. */
const JOB_START_MS = 5_000;

/** A completed export. */
export interface CreatedFile {
  /** Presigned URL of the file, valid until `expires` (ISO 8601). */
  readonly url: string;
  readonly expires: string;
  readonly filename: string;
  readonly contentType: string;
  /** Customers in the file. */
  readonly count: number;
  readonly bytes: number;
}

/** Either the completed file, or the job that continues the export in the background. */
export type ExportResult = { readonly file: CreatedFile } | { readonly job: ExportJob };

/**
 * Exports the customers with these ids; absent customers are skipped.
 *
 * @throws EmptyExportError if none of them exists; there is no file then.
 */
export async function exportByIds(
  merchantId: string,
  ids: readonly number[],
  format: FileFormat,
): Promise<CreatedFile> {
  const file = newExportFile(merchantId, format, randomUUID());
  const pages = exportPagesByIds(merchantId, ids, format);
  return createFile(file, format, pages, { allowEmpty: false });
}

/**
 * Exports the customers that meet the filter. An export that is estimated to take longer than its
 * caller can wait, or turns out to, is continued by a background job.
 *
 * @param choice of `format`, for the job.
 * @param limits when a job continues the export.
 */
export async function exportByFilter(
  merchantId: string,
  filter: CustomerFilter,
  { format, choice }: { readonly format: FileFormat; readonly choice: FormatChoice },
  limits: {
    /** ARN of the export worker. */
    readonly worker: string;
    /** Estimated rows from which on a job continues the export. */
    readonly maxRows: number;
    /** Time that the function has left, in milliseconds. */
    readonly remainingMs: number;
  },
): Promise<ExportResult> {
  const deadline = AbortSignal.timeout(Math.max(0, limits.remainingMs - JOB_START_MS));
  let expected: number | undefined;
  let isTooLong = false;
  const pages = untilDeadline(deadline, exportPages(merchantId, filter, format));
  /** Nothing is uploaded before there are some pages, so that ending at the first costs little. */
  const checkLength = async (page: ExportPage) => {
    expected ??= page.isOnly
      ? page.count
      : await beforeDeadline(deadline, estimateCount(merchantId, filter, limits.maxRows));
    isTooLong = expected > limits.maxRows;
    if (isTooLong) throw new Error('The export is too long for one call.');
  };
  try {
    const file = newExportFile(merchantId, format, randomUUID());
    return { file: await createFile(file, format, pages, { deadline, beforePage: checkLength }) };
  } catch (error) {
    if (!deadline.aborted && !isTooLong) throw error;
  }
  // Loaded on demand: most exports are short, and a cold start of theirs does without Lambda's client.
  const { startExportJob } = await import('./start-export-job.ts');
  const rowsExpected = expected ?? limits.maxRows;
  return {
    job: await startExportJob(limits.worker, { merchantId, filter, format, choice, rowsExpected }),
  };
}

/** Writes the pages to the file. Leaves no file and no upload behind if it fails. */
async function createFile(
  file: ExportFile,
  format: FileFormat,
  pages: AsyncIterable<ExportPage>,
  {
    allowEmpty = true,
    deadline,
    beforePage,
  }: {
    readonly allowEmpty?: boolean;
    readonly deadline?: AbortSignal;
    readonly beforePage?: (page: ExportPage) => Promise<void>;
  },
): Promise<CreatedFile> {
  let count = 0;
  const write = async () => {
    const upload = new MultipartUpload(uploadTarget(file), deadline && { abortSignal: deadline });
    try {
      await upload.write(Buffer.from(format.head));
      for await (const page of pages) {
        await beforePage?.(page);
        count += page.count;
        await upload.write(page.text);
      }
      if (count === 0 && !allowEmpty) throw new EmptyExportError();
      await upload.write(Buffer.from(format.tail));
      return await upload.complete();
    } catch (error) {
      await upload.abort();
      throw error;
    }
  };
  const [bytes, location] = await Promise.all([
    write(),
    // By then the first read is under way, and the processor would wait for its response.
    setImmediate().then(() => presign(file)),
  ]);
  const { filename, contentType } = file;
  return { ...location, filename, contentType, count, bytes };
}
