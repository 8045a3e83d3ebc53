import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { localStack } from './api.ts';

/** Returns the bytes of all files of an import in the local bucket. */
export async function bytesOfImport(importId: string): Promise<number> {
  const { bucket } = localStack();
  const client = bucketClient();
  const where = { Bucket: bucket, Prefix: 'imports/' };
  const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command(where));
  client.destroy();
  if (IsTruncated) throw new Error('There are more files than one page has.');
  return Contents.filter(({ Key = '' }) => Key.includes(importId))
    .map(({ Size = 0 }) => Size)
    .reduce((sum, size) => sum + size, 0);
}

/** Returns the keys of a merchant's files in the local bucket and of its unfinished uploads. */
export async function keysInBucket(merchant: string): Promise<(string | undefined)[]> {
  const { bucket } = localStack();
  const client = bucketClient();
  const where = { Bucket: bucket, Prefix: `exports/${merchant}/` };
  const { Contents = [] } = await client.send(new ListObjectsV2Command(where));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(where));
  client.destroy();
  return [...Contents, ...Uploads].map(({ Key }) => Key);
}

/** Returns a client of the local bucket that bypasses a proxy which the environment may name. */
function bucketClient(): S3Client {
  return new S3Client({ endpoint: localStack().s3Endpoint, forcePathStyle: true });
}
