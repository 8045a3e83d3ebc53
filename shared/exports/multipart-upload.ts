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

/** S3 accepts parts from 5 MiB, and at most 10,000: files up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;
/**
 * First size of a file's first part, which grows to {@link PART_BYTES}. Allocating all of it for each
 * small file has the garbage collected every few exports: 7 ms of CPU time an export.
 */
const FIRST_BYTES = 64 * 1024;
/** Parts that are uploaded concurrently; with the one being filled they bound the memory. */
const CONCURRENT_PARTS = 3;

/**
 * S3 client. Its limits keep the last attempt within the time a function has, and leave some of it
 * to abort an upload.
 */
export const s3 = new S3Client({
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 6_000,
    throwOnRequestTimeout: true,
  },
});

/** Where a file is uploaded to, and the headers it is later delivered with. */
export interface UploadTarget {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly ContentDisposition: string;
  readonly CacheControl: string;
}

/** A multipart upload of a target. */
interface UploadId {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

interface UploadOptions {
  /** Ends the upload as a failure. */
  readonly abortSignal?: AbortSignal;
}

/**
 * Uploads a file while it is written, and holds only a few parts of it in memory. Files smaller than
 * {@link PART_BYTES} are put in one request.
 *
 * @example
 * const upload = new MultipartUpload(target);
 * try {
 *   for await (const page of pages) await upload.write(page);
 *   const bytes = await upload.complete();
 * } catch (error) {
 *   await upload.abort();
 *   throw error;
 * }
 */
export class MultipartUpload {
  readonly #target: UploadTarget;
  readonly #options: UploadOptions;
  readonly #parts: Promise<CompletedPart>[] = [];
  readonly #uploading = new Set<Promise<unknown>>();
  /** Parts whose upload is done; their memory is filled again. */
  readonly #free: Buffer<ArrayBuffer>[] = [];
  #part = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #partBytes = 0;
  #bytes = 0;
  #id: UploadId | undefined;

  constructor(target: UploadTarget, options: UploadOptions = {}) {
    this.#target = target;
    this.#options = options;
  }

  /** Appends a text. Resolves when there is room for the next one. */
  async write(text: Buffer): Promise<void> {
    for (let done = 0; done < text.length; ) {
      if (this.#partBytes === PART_BYTES) await this.#uploadPart();
      if (this.#partBytes === this.#part.length) this.#growPart();
      const copied = text.copy(this.#part, this.#partBytes, done);
      this.#partBytes += copied;
      done += copied;
    }
  }

  /** Completes the file. Returns its size in bytes. */
  async complete(): Promise<number> {
    if (!this.#id) {
      const Body = this.#part.subarray(0, this.#partBytes);
      await s3.send(new PutObjectCommand({ ...this.#target, Body }), this.#options);
      return this.#partBytes;
    }
    if (this.#partBytes > 0) await this.#uploadPart();
    await completeUpload(this.#id, await Promise.all(this.#parts), this.#bytes, this.#options);
    return this.#bytes;
  }

  /**
   * Aborts the upload, which deletes its parts. If that fails too, or if S3 completed the file but the
   * response was lost, the bucket's lifecycle rules delete parts and file later; no response
   * contains the file's URL.
   */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#parts);
    if (this.#id) await s3.send(new AbortMultipartUploadCommand(this.#id)).catch(() => {});
  }

  async #uploadPart(): Promise<void> {
    this.#id ??= await this.#create();
    // Fails as soon as one of the uploads fails.
    if (this.#uploading.size === CONCURRENT_PARTS) await Promise.race(this.#uploading);
    const Body = this.#part.subarray(0, this.#partBytes);
    const upload = this.#send(this.#id, Body, this.#parts.length + 1);
    this.#parts.push(upload);
    this.#uploading.add(upload);
    // A failure is thrown when it is awaited; until then it must not count as unhandled.
    upload.then(() => this.#uploading.delete(upload)).catch(() => {});
    this.#bytes += this.#partBytes;
    this.#part = this.#free.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    this.#partBytes = 0;
  }

  #growPart(): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * this.#part.length, PART_BYTES));
    this.#part.copy(larger);
    this.#part = larger;
  }

  async #create(): Promise<UploadId> {
    const { Bucket, Key } = this.#target;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(this.#target));
    return { Bucket, Key, UploadId };
  }

  async #send(id: UploadId, Body: Buffer<ArrayBuffer>, PartNumber: number): Promise<CompletedPart> {
    const part = new UploadPartCommand({ ...id, PartNumber, Body });
    const { ETag } = await s3.send(part, this.#options);
    if (Body.length === PART_BYTES) this.#free.push(Body);
    return { PartNumber, ETag };
  }
}

/**
 * Completes an upload. May be repeated, as the SDK does if the response is lost: it then finds the
 * completed file.
 *
 * @param bytes of all parts together.
 */
export async function completeUpload(
  id: UploadId,
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
    // An earlier attempt succeeded, and its response was lost.
    const { Bucket, Key } = id;
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket, Key }), options);
    if (ContentLength !== bytes) throw error;
  }
}
