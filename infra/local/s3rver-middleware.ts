import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import s3Authentication from '@20minutes/s3rver/lib/middleware/authentication.js';
import S3Error from '@20minutes/s3rver/lib/models/error.js';

/** Koa's context of a request, as far as it is used here. */
interface S3Context {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly state: { vhost?: boolean };
  mountPath?: string;
  params: Readonly<Record<string, string>>;
  status: number;
  /** An object is sent as XML. */
  body: unknown;
}

/** Koa middleware. */
export type S3Middleware = (ctx: S3Context, next: () => Promise<void>) => Promise<void>;

const UPLOAD_ID = /^[0-9a-f]{32}$/;
const PART_NUMBER = /^\d+$/;
const MAX_PART_NUMBER = 10_000;
const XML_NAMESPACE = { '@': { xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' } };
const OWNER = { ID: '123456789000', DisplayName: 'S3rver' };

const verifySignature = s3Authentication();

/**
 * Rejects requests whose signature s3rver would not verify: it serves those without the header or the
 * parameter that names the algorithm. A private bucket rejects them.
 */
export const signedOnly: S3Middleware = (ctx, next) => {
  const isSigned = 'authorization' in ctx.headers || 'X-Amz-Algorithm' in ctx.query;
  if (!isSigned) throw new S3Error('AccessDenied', 'Access Denied');
  return next();
};

/**
 * Makes s3rver verify signatures of bucket paths, which the SDK signs with a trailing slash. s3rver
 * drops it, unless the request looks like that of a virtual host mounted at `/`.
 */
export const bucketPaths: S3Middleware = (ctx, next) => {
  if (/^\/[^/]+\/$/.test(ctx.path)) {
    ctx.state.vhost = true;
    ctx.mountPath = '/';
  }
  return next();
};

/**
 * Adds the operations of multipart uploads that s3rver lacks: AbortMultipartUpload,
 * ListMultipartUploads, ListParts (both without paging), NoSuchUpload for an unknown upload, and
 * InvalidArgument for a part's number that is not valid, which s3rver joins to a path as it is.
 *
 * s3rver stores an upload in the folder `<bucket>/._S3rver_uploads/<id>`. Its file `key` contains
 * the object's key; each part is a file named by its number, beside a file with its MD5.
 */
export function multipartUploads(directory: string, bucket: string): S3Middleware {
  const uploads = join(directory, bucket, '._S3rver_uploads');
  return async (ctx, next) => {
    const { method, query } = ctx;
    const [, pathBucket, key = ''] = /^\/([^/]+)\/?(.*)$/s.exec(decodeURIComponent(ctx.path)) ?? [];
    if (pathBucket !== bucket) return next();
    if (method === 'GET' && key === '' && query.uploads !== undefined) {
      await authenticate(ctx, { bucket });
      ctx.body = await listUploads(uploads, bucket, query.prefix ?? '');
      return;
    }
    const { uploadId } = query;
    if (uploadId === undefined) return next();
    const upload = join(uploads, uploadId);
    const isInProgress = UPLOAD_ID.test(uploadId) && (await readKey(upload)) === key;
    if (isInProgress && method === 'PUT') checkPartNumber(query.partNumber);
    if (isInProgress && (method === 'PUT' || method === 'POST')) return next();
    await authenticate(ctx, { bucket, key });
    if (!isInProgress) {
      throw new S3Error('NoSuchUpload', 'The specified upload does not exist.', {
        UploadId: uploadId,
      });
    }
    if (method === 'DELETE') {
      await rm(upload, { recursive: true });
      ctx.status = 204;
    } else {
      ctx.body = await listParts(upload, { Bucket: bucket, Key: key, UploadId: uploadId });
    }
  };
}

function checkPartNumber(text = ''): void {
  const number = PART_NUMBER.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_PART_NUMBER) return;
  throw new S3Error(
    'InvalidArgument',
    `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
    { ArgumentName: 'partNumber', ArgumentValue: text },
  );
}

async function authenticate(ctx: S3Context, params: Readonly<Record<string, string>>) {
  ctx.params = params;
  await verifySignature(ctx, async () => {});
}

async function listUploads(uploads: string, bucket: string, prefix: string) {
  const found = await Promise.all(
    (await listFolder(uploads)).map(async (UploadId) => {
      const folder = join(uploads, UploadId);
      return {
        UploadId,
        Key: await readKey(folder),
        Initiated: await modifiedAt(join(folder, 'key')),
      };
    }),
  );
  return {
    ListMultipartUploadsResult: {
      ...XML_NAMESPACE,
      Bucket: bucket,
      KeyMarker: '',
      UploadIdMarker: '',
      Prefix: prefix,
      MaxUploads: 1_000,
      IsTruncated: false,
      Upload: found
        // A part that arrives during an abort leaves a folder without a key.
        .filter(({ Key }) => Key?.startsWith(prefix))
        .sort((a, b) => `${a.Key}\n${a.Initiated}`.localeCompare(`${b.Key}\n${b.Initiated}`))
        .map(({ Key, UploadId, Initiated }) => ({
          Key,
          UploadId,
          Initiator: OWNER,
          Owner: OWNER,
          StorageClass: 'STANDARD',
          Initiated,
        })),
    },
  };
}

async function listParts(upload: string, names: Readonly<Record<string, string>>) {
  const files = await listFolder(upload);
  // A part without its MD5 is incomplete.
  const numbers = files.filter((name) => PART_NUMBER.test(name) && files.includes(`${name}.md5`));
  return {
    ListPartsResult: {
      ...XML_NAMESPACE,
      ...names,
      Initiator: OWNER,
      Owner: OWNER,
      StorageClass: 'STANDARD',
      PartNumberMarker: 0,
      MaxParts: numbers.length,
      IsTruncated: false,
      Part: await Promise.all(
        numbers
          .sort((a, b) => Number(a) - Number(b))
          .map(async (PartNumber) => {
            const file = join(upload, PartNumber);
            return {
              PartNumber,
              LastModified: await modifiedAt(file),
              ETag: `"${await readFile(`${file}.md5`, 'utf8')}"`,
              Size: (await stat(file)).size,
            };
          }),
      ),
    },
  };
}

function listFolder(folder: string): Promise<string[]> {
  return readdir(folder).catch(ifMissing([]));
}

function readKey(upload: string): Promise<string | undefined> {
  return readFile(join(upload, 'key'), 'utf8').catch(ifMissing(undefined));
}

async function modifiedAt(file: string): Promise<string | undefined> {
  const stats = await stat(file).catch(ifMissing(undefined));
  return stats?.mtime.toISOString();
}

function ifMissing<T>(instead: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
}
