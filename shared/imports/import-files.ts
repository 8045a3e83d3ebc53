import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { UnavailableError } from '../domain/errors.ts';
import { MAX_BYTES_PLANNED_IN_CALL } from '../domain/limits.ts';
import { IMPORT_PREFIXES, required } from '../environment.ts';
import { s3 } from '../exports/multipart-upload.ts';
import { bytesOf, type FileSource, sourceOfBytes } from '../formats/reading/file-source.ts';

export const BUCKET_NAME = required('bucketName');

/** What a file of an import is for; each kind has its own lifetime in the bucket. */
export type FileKind = keyof typeof IMPORT_PREFIXES;
const KINDS = Object.keys(IMPORT_PREFIXES) as FileKind[];

/** A file that was sent to be imported. */
export interface SentFile extends FileSource {
  /** Its version: another one is not read. */
  readonly etag: string;
}

/** An import, whose files these are. */
export interface FileOwner {
  readonly merchantId: string;
  readonly importId: string;
}

/** Returns the key of a file in the bucket. */
export function fileKey({ merchantId, importId }: FileOwner, kind: FileKind, name: string): string {
  return `${IMPORT_PREFIXES[kind]}${merchantId}/${importId}/${name}`;
}

/** Returns the file that was sent to be imported; undefined if none was. */
export async function getSentFile(owner: FileOwner): Promise<SentFile | undefined> {
  const target = { Bucket: BUCKET_NAME, Key: fileKey(owner, 'upload', SENT) };
  const head = await ifExists(s3.send(new HeadObjectCommand(target)));
  if (!head) return undefined;
  const etag = head.ETag as string;
  const bytes = head.ContentLength as number;
  const file: SentFile = {
    bytes,
    etag,
    async *read(from = 0, to = bytes) {
      // S3 has no empty ranges.
      if (from >= to) return;
      const Range = `bytes=${from}-${to - 1}`;
      const { Body } = await s3.send(new GetObjectCommand({ ...target, Range, IfMatch: etag }));
      yield* Body as AsyncIterable<Uint8Array>;
    },
  };
  return bytes <= MAX_BYTES_PLANNED_IN_CALL ? inMemory(file) : file;
}

/**
 * Returns a small file that is got from the bucket once: its digest, encoding, delimiter and rows are read
 * one after the other.
 */
function inMemory(file: SentFile): SentFile {
  let content: Promise<FileSource> | undefined;
  return {
    ...file,
    async *read(from, to) {
      content ??= bytesOf(file, 0, file.bytes).then(sourceOfBytes);
      yield* (await content).read(from, to);
    },
  };
}

/** Stores a file. */
export async function putFile(
  owner: FileOwner,
  kind: FileKind,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  const Key = fileKey(owner, kind, name);
  // Of an empty text the SDK does not see the length, and logs a warning.
  const Body = content === '' ? new Uint8Array(0) : content;
  await s3.send(new PutObjectCommand({ Bucket: BUCKET_NAME, Key, Body }));
}

/** Returns a file's text; undefined if there is no such file, or none any more. */
export async function getFile(
  owner: FileOwner,
  kind: FileKind,
  name: string,
): Promise<string | undefined> {
  const command = new GetObjectCommand({ Bucket: BUCKET_NAME, Key: fileKey(owner, kind, name) });
  const object = await ifExists(s3.send(command));
  return object?.Body?.transformToString();
}

/** Returns whether there is a file. */
export async function hasFile(owner: FileOwner, kind: FileKind, name: string): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: BUCKET_NAME, Key: fileKey(owner, kind, name) });
  return (await ifExists(s3.send(command))) !== undefined;
}

/** Returns the values of a file of JSON Lines; undefined as {@link getFile} does. */
export async function getLines<T>(
  owner: FileOwner,
  kind: FileKind,
  name: string,
): Promise<T[] | undefined> {
  const text = await getFile(owner, kind, name);
  return text
    ?.split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Deletes all files of some kinds, or those whose names begin with a text. May be repeated. */
export async function deleteFiles(
  owner: FileOwner,
  kinds: readonly FileKind[] = KINDS,
  beginning = '',
): Promise<void> {
  for (const kind of kinds) {
    const listed = { Bucket: BUCKET_NAME, Prefix: fileKey(owner, kind, beginning) };
    let Marker: string | undefined;
    do {
      const { Contents = [], IsTruncated } = await s3.send(
        new ListObjectsCommand({ ...listed, ...(Marker && { Marker }) }),
      );
      const Objects = Contents.map(({ Key }) => ({ Key }));
      if (Objects.length > 0) {
        const Delete = { Objects, Quiet: true };
        const { Errors = [] } = await s3.send(
          new DeleteObjectsCommand({ Bucket: BUCKET_NAME, Delete }),
        );
        if (Errors.length > 0) throw new UnavailableError('Not all files could be deleted.');
      }
      Marker = IsTruncated ? Contents.at(-1)?.Key : undefined;
    } while (Marker);
  }
}

/** Name of the file that was sent. */
export const SENT = 'file';

/** Returns values as JSON Lines. */
export function toLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/**
 * Returns undefined for an object that does not exist. S3 says so with 403 to callers that may not list
 * the bucket.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
async function ifExists<T>(object: Promise<T>): Promise<T | undefined> {
  try {
    return await object;
  } catch (error) {
    if ([403, 404].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

/** Returns whether a {@link SentFile} was replaced, so that the rest of it cannot be read. */
export function isReplaced(error: unknown): boolean {
  return statusOf(error) === 412;
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
