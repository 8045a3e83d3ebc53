import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { untilDeadline } from '../concurrency.ts';
import type { LogPosition } from '../domain/changes.ts';
import { EmptyExportError } from '../domain/errors.ts';
import type { ExportFile } from '../domain/export.ts';
import { encoderOf, type FileFormat } from '../formats/row-format.ts';
import { positionBeforeLoad } from '../storage/change-log.ts';
import { type ExportPage, exportPagesByIds } from '../storage/export-pages.ts';
import { newExportFile, presign, uploadTarget } from './export-file.ts';
import { withExportLease } from './export-lease.ts';
import { MultipartUpload } from './multipart-upload.ts';

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
  /** Where changes are followed from once the file is loaded. */
  readonly changesFrom: LogPosition;
}

/**
 * Exports the customers with these ids, by ascending id; absent customers are skipped.
 *
 * @throws EmptyExportError if none of them exists; there is no file then.
 * @throws RateLimitError if the merchant has too many exports running.
 */
export async function exportByIds(
  merchantId: string,
  ids: readonly number[],
  format: FileFormat,
): Promise<CreatedFile> {
  const file = newExportFile(merchantId, format, randomUUID());
  const ascending = ids.toSorted((a, b) => a - b);
  return withExportLease(merchantId, (deadline) => {
    const changesFrom = startOfChanges(merchantId);
    const pages = untilDeadline(deadline, exportPagesByIds(merchantId, ascending, format));
    return createFile(file, format, pages, { changesFrom, allowEmpty: false, deadline });
  });
}

/** Returns where changes are followed from. The read takes place beside the export. */
export function startOfChanges(merchantId: string): Promise<LogPosition> {
  const position = positionBeforeLoad(merchantId);
  // A failure is thrown when the export is complete; until then it must not count as unhandled.
  position.catch(() => {});
  return position;
}

/** Writes the pages to the file. Aborts the upload if that fails. */
export async function createFile(
  file: ExportFile,
  format: FileFormat,
  pages: AsyncIterable<ExportPage>,
  {
    changesFrom,
    allowEmpty = true,
    deadline,
    beforePage,
  }: {
    readonly changesFrom: Promise<LogPosition>;
    readonly allowEmpty?: boolean;
    readonly deadline?: AbortSignal;
    readonly beforePage?: (page: ExportPage) => Promise<void>;
  },
): Promise<CreatedFile> {
  const encoder = encoderOf(format);
  let count = 0;
  const write = async () => {
    const upload = new MultipartUpload(uploadTarget(file), deadline && { abortSignal: deadline });
    try {
      await upload.write(await encoder.start());
      for await (const page of pages) {
        await beforePage?.(page);
        count += page.count;
        await upload.write(await encoder.rows(page.text));
      }
      if (count === 0 && !allowEmpty) throw new EmptyExportError();
      await upload.write(await encoder.end());
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
  return { ...location, filename, contentType, count, bytes, changesFrom: await changesFrom };
}
