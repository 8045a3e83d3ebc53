import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeDeadline } from '../../concurrency.ts';
import { required } from '../../environment.ts';
import type { RangeReader } from './snapshot-reader.ts';
import type { SnapshotPointer } from './snapshot-state.ts';

export const BUCKET_NAME = required('bucketName');
/** Time after which a read is given up, with its retry: the index answers in the caller's time. */
const READ_MS = 1_000;

export const s3 = new S3Client({ maxAttempts: 2 });

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
