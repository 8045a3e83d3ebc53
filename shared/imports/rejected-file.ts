import { mapAhead } from '../concurrency.ts';
import { ImportExpiredError } from '../domain/errors.ts';
import type { FaultLanguage } from '../domain/fault-texts.ts';
import type { ImportJob } from '../domain/import-job.ts';
import { presign } from '../exports/export-file.ts';
import { MultipartUpload } from '../exports/multipart-upload.ts';
import { CSV_TYPE } from '../formats/csv.ts';
import { type RejectedRow, rejectedRowsFile } from '../formats/rejected-rows.ts';
import { XLSX_TYPE } from '../formats/xlsx.ts';
import { BUCKET_NAME, type FileOwner, fileKey } from './import-files.ts';
import { isRejected, readManifest, readPlanned } from './plan-files.ts';

const CONCURRENT_FILES = 4;
const CONTENT_TYPES = { csv: `${CSV_TYPE}; charset=utf-8; header=present`, xlsx: XLSX_TYPE };

/** A file of rows that are not imported. */
export interface RejectedFile {
  /** Presigned URL of the file, valid until `expires` (ISO 8601). */
  readonly url: string;
  readonly expires: string;
  readonly filename: string;
  readonly contentType: string;
  /** Rows in the file. */
  readonly count: number;
}

/**
 * Writes the rows of an import that are ambiguous, invalid or skipped to a file, the first as many as it
 * may have: the cells as they were sent, and what is wrong.
 *
 * @throws ImportExpiredError if the plan is no longer kept.
 */
export async function rejectedFile(
  merchantId: string,
  job: ImportJob,
  { format, language }: { readonly format: 'csv' | 'xlsx'; readonly language: FaultLanguage },
): Promise<RejectedFile> {
  const files = { merchantId, importId: job.id };
  const { headings, steps } = await readManifest(files, job);
  const indexes = [...steps.keys()].filter((index) => {
    const { ambiguous = 0, invalid = 0, skipped = 0 } = steps[index]?.counts ?? {};
    return ambiguous + invalid + skipped > 0;
  });
  const batches = mapAhead(indexes, CONCURRENT_FILES, (index) => rejectedRows(files, job, index));
  const filename = `${NAMES[language]}.${format}`;
  const contentType = CONTENT_TYPES[format];
  const key = fileKey(files, 'plan', filename);
  const upload = new MultipartUpload({
    Bucket: BUCKET_NAME,
    Key: key,
    ContentType: contentType,
    ContentDisposition: `attachment; filename="${filename}"`,
    CacheControl: 'private, no-store',
  });
  let count = 0;
  try {
    const pieces = rejectedRowsFile(batches, { format, language, headings, sent: job.options });
    for await (const { bytes, rows } of pieces) {
      await upload.write(bytes);
      count += rows;
    }
    await upload.complete();
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return { ...(await presign({ key })), filename, contentType, count };
}

/** Names of the file, without extension. */
const NAMES = { sv: 'fel', en: 'errors' } as const;

async function rejectedRows(
  files: FileOwner,
  job: ImportJob,
  index: number,
): Promise<RejectedRow[]> {
  const lines = await readPlanned(files, job, index);
  if (!lines) throw new ImportExpiredError(job.id);
  return lines.filter((line): line is RejectedRow => isRejected(line.outcome));
}
