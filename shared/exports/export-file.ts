import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ExportFile, ExportJob } from '../domain/export.ts';
import { exportProgress } from '../domain/export.ts';
import { EXPORT_URL_LIFETIME_S } from '../domain/limits.ts';
import { EXPORTS_PREFIX, required } from '../environment.ts';
import type { FileFormat } from '../formats/row-format.ts';
import { s3, type UploadTarget } from './multipart-upload.ts';

const BUCKET_NAME = required('bucketName');

/** Returns a new file under the merchant's prefix, named by the export's random id. */
export function newExportFile(
  merchantId: string,
  { extension, contentType }: FileFormat,
  exportId: string,
): ExportFile {
  return {
    key: `${EXPORTS_PREFIX}${merchantId}/${exportId}.${extension}`,
    filename: `customers-${new Date().toISOString().slice(0, 10)}.${extension}`,
    contentType,
  };
}

/** Returns where a file is uploaded to, and the headers it is delivered with. */
export function uploadTarget({ key, filename, contentType }: ExportFile): UploadTarget {
  return {
    Bucket: BUCKET_NAME,
    Key: key,
    ContentType: contentType,
    ContentDisposition: `attachment; filename="${filename}"`,
    CacheControl: 'private, no-store',
  };
}

/** Returns a presigned URL of the file, valid without a token, and its expiry time (ISO 8601). */
export async function presign({
  key,
}: Pick<ExportFile, 'key'>): Promise<{ url: string; expires: string }> {
  const expires = new Date(Date.now() + EXPORT_URL_LIFETIME_S * 1_000).toISOString();
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET_NAME, Key: key }), {
    expiresIn: EXPORT_URL_LIFETIME_S,
  });
  return { url, expires };
}

/**
 * Returns the status of a long export as the API responds with it: its progress; once it is ready
 * also the file as a short export returns it, with a new presigned URL.
 */
export async function exportStatus(job: ExportJob) {
  const progress = exportProgress(job);
  if (job.state !== 'ready') return progress;
  const { rowsDone, file, bytes } = job;
  const { filename, contentType } = file;
  return { ...progress, ...(await presign(file)), filename, contentType, count: rowsDone, bytes };
}
