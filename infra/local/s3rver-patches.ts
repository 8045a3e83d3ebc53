import { createHash } from 'node:crypto';
import fs from 'node:fs';
import S3Error from '@20minutes/s3rver/lib/models/error.js';

/** The functions of s3rver's store that build the paths of its files, or keep a key for later. */
export interface S3Store {
  getBucketPath(bucket: string): string;
  /** @param key not given for a file of the bucket itself. */
  getResourcePath(bucket: string, key: string | undefined, resource: string): string;
  initiateUpload(bucket: string, key: string, ...more: unknown[]): Promise<void>;
  /** Writes a file; returns its size and MD5. */
  putContent(path: string, content: AsyncIterable<Buffer> | Buffer): Promise<[number, string]>;
  getBucket(bucket: string): Promise<unknown>;
  getSubresource(bucket: string, key: string | undefined, resource: string): Promise<unknown>;
}

/**
 * Patches a store of s3rver to keep its files in the folder of one bucket. It joins names to paths as
 * they are: a key such as `../../issuer-key` would leave the folder.
 *
 * S3 itself rejects a key that leads out of its bucket. This rejects the segments `.` and `..`
 * anywhere: here, two keys could name the same file.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function confineToBucket(store: S3Store, bucket: string): void {
  const getBucketPath = store.getBucketPath.bind(store);
  const getResourcePath = store.getResourcePath.bind(store);
  const initiateUpload = store.initiateUpload.bind(store);
  store.getBucketPath = (name) => {
    checkBucket(name);
    return getBucketPath(name);
  };
  store.getResourcePath = (name, key, resource) => {
    checkBucket(name);
    checkKey(key);
    return getResourcePath(name, key, resource);
  };
  store.initiateUpload = async (name, key, ...more) => {
    checkKey(key);
    return initiateUpload(name, key, ...more);
  };

  function checkBucket(name: string): void {
    if (name === bucket) return;
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
  }
}

function checkKey(key = ''): void {
  if (!key.split('/').some((segment) => segment === '.' || segment === '..')) return;
  throw new S3Error('InvalidURI', 'A key must not have the segments `.` or `..`.', { URI: key });
}

/**
 * Patches a store of s3rver to remember that its bucket exists and has no configuration. It looks for
 * the bucket's folder and two files of its configuration at each request.
 */
export function rememberBucket(store: S3Store): void {
  const getBucket = store.getBucket.bind(store);
  const getSubresource = store.getSubresource.bind(store);
  const buckets = new Map<string, Promise<unknown>>();
  store.getBucket = async (name) => {
    const bucket = buckets.get(name) ?? getBucket(name);
    if (await bucket) buckets.set(name, bucket);
    return bucket;
  };
  store.getSubresource = async (bucket, key, resource) => {
    if (key !== undefined) return getSubresource(bucket, key, resource);
    // Rejects another bucket.
    store.getBucketPath(bucket);
    return null;
  };
}

/** Functions by which s3rver reads and writes the small files beside each object. */
const OF_SMALL_FILES = ['readFile', 'writeFile', 'stat', 'unlink', 'mkdir', 'rm'] as const;

/**
 * Patches a store of s3rver, and Node's `fs.promises` of this thread, to write and read files
 * synchronously. Otherwise each system call is a task of the thread pool, which takes several times the
 * CPU time of the call itself.
 */
export function useSynchronousFiles(store: S3Store): void {
  for (const name of OF_SMALL_FILES) {
    const work = fs[`${name}Sync`] as (...parameters: unknown[]) => unknown;
    Object.assign(fs.promises, { [name]: async (...parameters: unknown[]) => work(...parameters) });
  }
  store.putContent = async (path, content) => {
    const hash = createHash('md5');
    let bytes = 0;
    const file = fs.openSync(path, 'w');
    try {
      for await (const chunk of Buffer.isBuffer(content) ? [content] : content) {
        fs.writeFileSync(file, chunk);
        hash.update(chunk);
        bytes += chunk.length;
      }
    } finally {
      fs.closeSync(file);
    }
    return [bytes, hash.digest('hex')];
  };
}
