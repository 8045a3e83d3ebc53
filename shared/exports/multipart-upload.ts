import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  NoSuchUpload,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { inParallel } from '../concurrency.ts';

/** S3 takes parts from 5 MiB, and at most 10,000: files up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;
/** Parts under way at once; together with the one being filled they bound the memory. */
const PARALLEL_PARTS = 3;

/**
 * Its limits keep the last attempt inside the time a function has, as the store's do, and leave
 * some of it for an upload to be aborted.
 */
export const s3 = new S3Client({
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 6_000,
    throwOnRequestTimeout: true,
  },
});

/** Where a file goes, and the headers it is later delivered with. */
export interface UploadTarget {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly ContentDisposition: string;
  readonly CacheControl: string;
}

interface UploadOptions {
  /** Ends the upload as a failure. */
  readonly abortSignal?: AbortSignal;
}

/**
 * Uploads a text while it is being made; never holds more than a few parts of it. After a failure
 * nothing is left behind, unless S3 did its part and could not say so: nobody is told the address
 * of that file, and the bucket's lifecycle rule deletes it, or the parts, after a day.
 *
 * @returns the file's size in bytes.
 */
export async function upload(
  target: UploadTarget,
  texts: AsyncIterable<Buffer>,
  options: UploadOptions = {},
): Promise<number> {
  const free: Buffer[] = [];
  const parts = inParts(texts, free);
  const first: Buffer = (await parts.next()).value ?? Buffer.alloc(0);
  if (first.length < PART_BYTES) {
    await s3.send(new PutObjectCommand({ ...target, Body: first }), options);
    return first.length;
  }
  return uploadParts(target, startingWith(first, parts), free, options);
}

async function uploadParts(
  target: UploadTarget,
  parts: AsyncIterable<Buffer>,
  free: Buffer[],
  options: UploadOptions,
): Promise<number> {
  const { Bucket, Key } = target;
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const id = { Bucket, Key, UploadId };
  let bytes = 0;
  try {
    const Parts = await inParallel(parts, PARALLEL_PARTS, async (Body, index) => {
      const PartNumber = index + 1;
      const command = new UploadPartCommand({ ...id, PartNumber, Body });
      const { ETag } = await s3.send(command, options);
      bytes += Body.length;
      if (Body.length === PART_BYTES) free.push(Body);
      return { PartNumber, ETag };
    });
    await complete(id, Parts, bytes, options);
    return bytes;
  } catch (error) {
    // Where this fails as well, the bucket's lifecycle rule clears the parts away after a day.
    await s3.send(new AbortMultipartUploadCommand(id)).catch(() => {});
    throw error;
  }
}

/**
 * Makes the file of an upload's parts. Done again, as the SDK does where the answer is lost, it
 * finds the file made.
 *
 * @param bytes of all parts together.
 */
export async function complete(
  id: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined },
  Parts: CompletedPart[],
  bytes: number,
  options: UploadOptions = {},
): Promise<void> {
  try {
    await s3.send(
      new CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts } }),
      options,
    );
  } catch (error) {
    if (!(error instanceof NoSuchUpload)) throw error;
    // An earlier try got through, and its answer was lost.
    const { Bucket, Key } = id;
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket, Key }), options);
    if (ContentLength !== bytes) throw error;
  }
}

/**
 * Fills parts of {@link PART_BYTES} each; only the last is smaller. A part's memory is filled anew
 * once its upload is done, so that an export of any size takes as much as one of a few parts.
 */
async function* inParts(texts: AsyncIterable<Buffer>, free: Buffer[]): AsyncGenerator<Buffer> {
  const newPart = () => free.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
  let part = newPart();
  let size = 0;
  for await (const text of texts) {
    for (let done = 0; done < text.length; ) {
      const copied = text.copy(part, size, done);
      size += copied;
      done += copied;
      if (size < PART_BYTES) continue;
      yield part;
      part = newPart();
      size = 0;
    }
  }
  if (size > 0) yield part.subarray(0, size);
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}
