import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeDeadline } from '../../concurrency.ts';
import { required, SNAPSHOTS_PREFIX } from '../../environment.ts';
import type { RangeReader } from './snapshot-reader.ts';
import type { SnapshotPointer } from './snapshot-state.ts';
import type { SnapshotFile } from './snapshot-writer.ts';

const BUCKET_NAME = required('bucketName');
/** Time after which a read is given up, with its retry: the index answers in the caller's time. */
const READ_MS = 1_000;
/** A file is written while nobody waits. */
const WRITE_MS = 60_000;

const s3 = new S3Client({ maxAttempts: 2 });

/**
 * Returns a reader of a snapshot's file. Files are not changed once they are written, so that their
 * ranges belong together.
 */
export function snapshotReader({ key }: Pick<SnapshotPointer, 'key'>): RangeReader {
  return {
    read: (from, to) => {
      const abortSignal = AbortSignal.timeout(READ_MS);
      return beforeDeadline(abortSignal, readRange(key, from, to, abortSignal));
    },
  };
}

async function readRange(
  key: string,
  from: number,
  to: number,
  abortSignal: AbortSignal,
): Promise<Uint8Array> {
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: BUCKET_NAME, Key: key, Range: `bytes=${from}-${to - 1}` }),
    { abortSignal },
  );
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

/** Stores a snapshot's file under the merchant's prefix with a random name, and returns its key. */
export async function writeSnapshotFile(
  merchantId: string,
  { chunks, bytes }: Pick<SnapshotFile, 'chunks' | 'bytes'>,
): Promise<string> {
  const key = `${SNAPSHOTS_PREFIX}${merchantId}/${randomUUID()}`;
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
