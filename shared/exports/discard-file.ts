import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchUpload,
} from '@aws-sdk/client-s3';
import type { ExportFile } from '../domain/export.ts';
import { uploadTarget } from './export-file.ts';
import { s3 } from './multipart-upload.ts';

/** Deletes the file of an export, and aborts its uploads, whose parts are stored. May be repeated. */
export async function discardFile(file: ExportFile): Promise<void> {
  const { Bucket, Key } = uploadTarget(file);
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
  for (const { UploadId } of Uploads) await abortParts(file, UploadId as string);
  // An upload that was complete before it could be aborted.
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
}

/** Aborts the upload and deletes its parts. May be repeated. */
export async function abortParts(file: ExportFile, uploadId: string): Promise<void> {
  const { Bucket, Key } = uploadTarget(file);
  try {
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: uploadId }));
  } catch (error) {
    if (!(error instanceof NoSuchUpload)) throw error;
  }
}
