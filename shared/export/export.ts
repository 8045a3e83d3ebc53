import { randomUUID } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { EXPORTS_PREFIX, required } from '../config.ts';
import type { Answer, Request } from '../http/endpoint.ts';
import { Problem } from '../http/problem.ts';
import { EXPORT_URL_LIFETIME_S } from '../limits.ts';
import { type RowWriter, rowWriter } from '../rows/row-writer.ts';
import type { RowPage } from '../store/export-rows.ts';
import type { Format } from './format.ts';
import { s3, upload } from './upload.ts';

const BUCKET_NAME = required('bucketName');

/**
 * Writes customers into a file on S3 and answers with a presigned address of it: as JSON, or as
 * a redirect where the caller asked for the file's own type.
 *
 * @param mustHoldSome whether an export of nobody is an error.
 * @throws Problem 404 for an export of nobody that must hold some; there is no file then.
 */
export async function answerExport(
  { merchant, accepted }: Request,
  format: Format,
  rows: (write: RowWriter) => AsyncIterable<RowPage>,
  { mustHoldSome = false } = {},
): Promise<Answer> {
  const key = `${EXPORTS_PREFIX}${merchant}/${randomUUID()}.${format.extension}`;
  const filename = `customers-${new Date().toISOString().slice(0, 10)}.${format.extension}`;
  let count = 0;
  async function* texts() {
    yield Buffer.from(format.head);
    for await (const page of rows(rowWriter(format))) {
      count += page.count;
      yield page.text;
    }
    if (mustHoldSome && count === 0) throw new Problem(404, 'None of these customers exists.');
    yield Buffer.from(format.tail);
  }
  const target = {
    Bucket: BUCKET_NAME,
    Key: key,
    ContentType: format.contentType,
    ContentDisposition: `attachment; filename="${filename}"`,
    CacheControl: 'private, no-store',
  };
  const bytes = await upload(target, texts());
  const expires = new Date(Date.now() + EXPORT_URL_LIFETIME_S * 1_000).toISOString();
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET_NAME, Key: key }), {
    expiresIn: EXPORT_URL_LIFETIME_S,
  });
  if (accepted === format.mediaType) return { status: 303, headers: { location: url } };
  const { contentType } = format;
  return { body: { url, expires, filename, contentType, count, bytes } };
}
