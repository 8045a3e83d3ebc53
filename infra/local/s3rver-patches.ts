import S3Error from '@20minutes/s3rver/lib/models/error.js';

/** The functions of s3rver's store that build the paths of its files, or keep a key for later. */
export interface S3Store {
  getBucketPath(bucket: string): string;
  /** @param key not given for a file of the bucket itself. */
  getResourcePath(bucket: string, key: string | undefined, resource: string): string;
  initiateUpload(bucket: string, key: string, ...more: unknown[]): Promise<void>;
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
