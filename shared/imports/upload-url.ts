import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ImportJob } from '../domain/import-job.ts';
import { IMPORT_URL_LIFETIME_S } from '../domain/limits.ts';
import { BUCKET_NAME, fileKey, SENT } from './import-files.ts';

/** How a file is sent: a request that needs no token. */
export interface UploadRequest {
  readonly method: 'PUT';
  /** Presigned; S3 refuses a file of another size, and another SHA-256 if one was announced. */
  readonly url: string;
  /** Headers that the request must have besides `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the URL expires; ISO 8601. */
  readonly expires: string;
}

/** Returns the request by which the file of an import is sent. */
export async function uploadRequest(
  merchantId: string,
  { id, bytes, sha256 }: ImportJob,
): Promise<UploadRequest> {
  const expires = new Date(Date.now() + IMPORT_URL_LIFETIME_S * 1_000).toISOString();
  const headers: Record<string, string> = sha256 ? { [CHECKSUM]: sha256 } : {};
  const command = new PutObjectCommand({
    Bucket: BUCKET_NAME,
    Key: fileKey({ merchantId, importId: id }, 'upload', SENT),
    ContentLength: bytes,
    ...(sha256 && { ChecksumSHA256: sha256 }),
  });
  const url = await getSignedUrl(presigning, command, {
    expiresIn: IMPORT_URL_LIFETIME_S,
    // In the URL, S3 would take any length, and any file for one of the checksum.
    signableHeaders: new Set(['content-length', CHECKSUM]),
    unhoistableHeaders: new Set([CHECKSUM]),
  });
  return { method: 'PUT', url, headers, expires };
}

const CHECKSUM = 'x-amz-checksum-sha256';
/**
 * By default the SDK would sign the checksum of an empty body, which S3 compares with the file.
 *
 * @see https://github.com/aws/aws-sdk-js-v3/issues/6994
 */
const presigning = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
