import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  NoSuchUpload,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { parseFilters } from '../domain/customer-filter.ts';
import { formatOf } from '../formats/formats.ts';
import { Query } from '../http/query.ts';
import { selectedRows } from '../storage/export-pages.ts';
import { rowWriter } from '../storage/serialized-items/item-serializer.ts';
import { type ExportFile, uploadTarget } from './export-file.ts';
import type { ExportOrder } from './job.ts';
import { complete, PART_BYTES, s3 } from './multipart-upload.ts';

/**
 * After this many parts they grow by {@link PART_BYTES}: Lambda keeps 3,000 operations of one
 * execution, which with parts of one size would be the largest export.
 */
const PARTS_OF_ONE_SIZE = 500;

/** A part of an export's file that is in the bucket, as it is checkpointed. */
export interface ExportedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  /** Id behind which the next part begins; 0 where there is no customer so far. */
  readonly lastId: number;
  /** Customers in this part. */
  readonly rows: number;
  readonly bytes: number;
  readonly isLast: boolean;
}

/** Begins the upload of a file. Where it is begun twice, one has no parts and costs nothing. */
export async function startParts(file: ExportFile): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(uploadTarget(file)));
  return UploadId as string;
}

/**
 * Makes and uploads the part that follows `previous`. Done again, it takes the place of what was
 * uploaded before.
 */
export async function exportPart(
  { merchant, format: name, file, query: text }: ExportOrder,
  uploadId: string,
  previous: ExportedPart | undefined,
): Promise<ExportedPart> {
  const query = new Query(text);
  const format = formatOf(name, query);
  const number = (previous?.number ?? 0) + 1;
  const enough = PART_BYTES * Math.ceil(number / PARTS_OF_ONE_SIZE);
  const chunks: Buffer[] = [Buffer.from(previous ? '' : format.head)];
  let bytes = 0;
  let rows = 0;
  let lastId = previous?.lastId ?? 0;
  let isLast = true;
  const write = rowWriter(format);
  for await (const page of selectedRows(merchant, parseFilters(query), write, lastId)) {
    if (bytes >= enough) {
      isLast = false;
      break;
    }
    chunks.push(page.text);
    bytes += page.text.length;
    rows += page.count;
    lastId = page.lastId ?? lastId;
  }
  if (isLast) chunks.push(Buffer.from(format.tail));
  const Body = Buffer.concat(chunks);
  const { Bucket, Key } = uploadTarget(file);
  const { ETag } = await s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId: uploadId, PartNumber: number, Body }),
  );
  return { number, etag: ETag as string, lastId, rows, bytes: Body.length, isLast };
}

/** Makes the file of its parts. Done again, it finds the file made. */
export async function completeParts(
  file: ExportFile,
  uploadId: string,
  parts: readonly ExportedPart[],
): Promise<void> {
  const { Bucket, Key } = uploadTarget(file);
  const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
  await complete({ Bucket, Key, UploadId: uploadId }, Parts, sum(parts, 'bytes'));
}

/** Gives the upload up, and deletes its parts. Done again, it finds that done. */
export async function abortParts(file: ExportFile, uploadId: string): Promise<void> {
  const { Bucket, Key } = uploadTarget(file);
  try {
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: uploadId }));
  } catch (error) {
    if (!(error instanceof NoSuchUpload)) throw error;
  }
}

/** Rows or bytes of all parts together. */
export function sum(parts: readonly ExportedPart[], what: 'rows' | 'bytes'): number {
  return parts.reduce((total, part) => total + part[what], 0);
}
