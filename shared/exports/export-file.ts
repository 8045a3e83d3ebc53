import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { EXPORT_URL_LIFETIME_S } from '../domain/limits.ts';
import { EXPORTS_PREFIX, required } from '../environment.ts';
import type { Format } from '../formats/export-format.ts';
import { s3, type UploadTarget } from './multipart-upload.ts';

const BUCKET_NAME = required('bucketName');

/** Where an export's file is, and as what it is delivered. */
export interface ExportFile {
  /** Its key in the bucket. */
  readonly key: string;
  readonly filename: string;
  readonly contentType: string;
}

/**
 * The file of an export that begins now, under the merchant's prefix.
 *
 * @param id of the export, which nobody can guess.
 */
export function exportFile(
  merchant: string,
  { extension, contentType }: Format,
  id: string,
): ExportFile {
  return {
    key: `${EXPORTS_PREFIX}${merchant}/${id}.${extension}`,
    filename: `customers-${new Date().toISOString().slice(0, 10)}.${extension}`,
    contentType,
  };
}

/** Where the file is uploaded to. */
export function uploadTarget({ key, filename, contentType }: ExportFile): UploadTarget {
  return {
    Bucket: BUCKET_NAME,
    Key: key,
    ContentType: contentType,
    ContentDisposition: `attachment; filename="${filename}"`,
    CacheControl: 'private, no-store',
  };
}

/** An address at which the file can be fetched without a token, and until when (ISO 8601). */
export async function presign({ key }: ExportFile): Promise<{ url: string; expires: string }> {
  const expires = new Date(Date.now() + EXPORT_URL_LIFETIME_S * 1_000).toISOString();
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET_NAME, Key: key }), {
    expiresIn: EXPORT_URL_LIFETIME_S,
  });
  return { url, expires };
}
