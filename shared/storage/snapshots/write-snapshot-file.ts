import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SNAPSHOTS_PREFIX } from '../../environment.ts';
import { deleteInTime } from './schedules.ts';
import { BUCKET_NAME, s3 } from './snapshot-files.ts';
import type { SnapshotFile } from './snapshot-writer.ts';

/** A file is written while nobody waits. */
const WRITE_MS = 60_000;

/**
 * Stores a snapshot's file under the merchant's prefix with a random name, and returns its key.
 *
 * @param builtMs when building began, in milliseconds since 1970; the file is deleted within a day of it.
 */
export async function writeSnapshotFile(
  merchantId: string,
  { chunks, bytes }: Pick<SnapshotFile, 'chunks' | 'bytes'>,
  builtMs: number,
): Promise<string> {
  const key = `${SNAPSHOTS_PREFIX}${merchantId}/${randomUUID()}`;
  await deleteInTime(key, builtMs);
  await s3.send(
    new PutObjectCommand({
      Bucket: BUCKET_NAME,
      Key: key,
      Body: Buffer.concat(chunks, bytes),
      ContentType: 'application/octet-stream',
      CacheControl: 'private, no-store',
    }),
    { abortSignal: AbortSignal.timeout(WRITE_MS) },
  );
  return key;
}
