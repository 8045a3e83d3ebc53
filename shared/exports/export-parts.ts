import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import type { ExportFile, ExportJobInput } from '../domain/export.ts';
import { fileFormat } from '../formats/file-format.ts';
import { type EncoderState, encoderOf } from '../formats/row-format.ts';
import { type ExportPage, ExportSource } from '../storage/export-pages.ts';
import { uploadTarget } from './export-file.ts';
import { completeUpload, PART_BYTES, s3 } from './multipart-upload.ts';

/**
 * After this many parts the parts grow by {@link PART_BYTES}: Lambda keeps 3,000 operations of one
 * execution, which would bound the export if all parts had one size.
 */
const PARTS_OF_ONE_SIZE = 500;

/** An uploaded part of an export's file, as it is checkpointed. */
export interface ExportedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  /** Id after which the next part starts; 0 if there is no customer so far. */
  readonly lastId: number;
  /** Customers in this part. */
  readonly rows: number;
  readonly bytes: number;
  readonly isLast: boolean;
  /** Where the file is after this part, if the next one depends on it. */
  readonly encoder?: EncoderState | undefined;
}

/** Starts the upload of a file and returns its id. If repeated, one upload stays without parts. */
export async function startUpload(file: ExportFile): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(uploadTarget(file)));
  return UploadId as string;
}

/**
 * Reads the pages of an export one after the other, also across its parts, so that pages which are
 * read ahead at the end of a part are not read again by the next one.
 */
export class PageReader {
  readonly #input: ExportJobInput;
  #pages: AsyncGenerator<ExportPage> | undefined;
  #next: Promise<IteratorResult<ExportPage>> | undefined;
  #lastId = 0;

  constructor(input: ExportJobInput) {
    this.#input = input;
  }

  /** Moves to the customers after an id; reads again only if the reader is elsewhere. */
  async startAfter(id: number): Promise<void> {
    if (this.#pages && this.#lastId === id) return;
    await this.close();
    const { merchantId, filter, format } = this.#input;
    this.#pages = new ExportSource(merchantId, filter, fileFormat(format)).pages(id);
    this.#lastId = id;
  }

  /** Returns the next page without consuming it; undefined at the end. */
  async peek(): Promise<ExportPage | undefined> {
    this.#next ??= this.#pages?.next();
    try {
      const result = await this.#next;
      return result?.value ?? undefined;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Consumes the page that was peeked at. */
  consume({ lastId }: ExportPage): void {
    this.#next = undefined;
    this.#lastId = lastId ?? this.#lastId;
  }

  /** Ends reading; it can start again. */
  async close(): Promise<void> {
    const pages = this.#pages;
    this.#pages = undefined;
    this.#next = undefined;
    await pages?.return(undefined).catch(() => {});
  }
}

/** Exports and uploads the part after `previous`. If repeated, it replaces the part. */
export async function exportPart(
  { format: choice, file }: ExportJobInput,
  uploadId: string,
  previous: ExportedPart | undefined,
  reader: PageReader,
): Promise<ExportedPart> {
  const encoder = encoderOf(fileFormat(choice), previous?.encoder);
  const number = (previous?.number ?? 0) + 1;
  const targetBytes = PART_BYTES * Math.ceil(number / PARTS_OF_ONE_SIZE);
  const chunks: Buffer[] = previous ? [] : [await encoder.start()];
  let bytes = 0;
  let rows = 0;
  let lastId = previous?.lastId ?? 0;
  await reader.startAfter(lastId);
  let page = await reader.peek();
  while (page && bytes < targetBytes) {
    const text = await encoder.rows(page.text);
    chunks.push(text);
    bytes += text.length;
    rows += page.count;
    lastId = page.lastId ?? lastId;
    reader.consume(page);
    page = await reader.peek();
  }
  const isLast = !page;
  if (isLast) chunks.push(await encoder.end());
  const Body = Buffer.concat(chunks);
  const { Bucket, Key } = uploadTarget(file);
  const { ETag } = await s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId: uploadId, PartNumber: number, Body }),
  );
  const written = { lastId, rows, bytes: Body.length, isLast };
  return { number, etag: ETag as string, ...written, encoder: encoder.state };
}

/** Completes the file of its parts. May be repeated. */
export async function completeParts(
  file: ExportFile,
  uploadId: string,
  parts: readonly ExportedPart[],
): Promise<void> {
  const { Bucket, Key } = uploadTarget(file);
  const completed = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
  await completeUpload({ Bucket, Key, UploadId: uploadId }, completed, sum(parts, 'bytes'));
}

/** Returns the rows or bytes of all parts together. */
export function sum(parts: readonly ExportedPart[], what: 'rows' | 'bytes'): number {
  return parts.reduce((total, part) => total + part[what], 0);
}
