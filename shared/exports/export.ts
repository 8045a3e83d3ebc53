import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Format } from '../formats/export-format.ts';
import type { Answer, Request } from '../http/endpoint.ts';
import { Problem } from '../http/problem-details.ts';
import type { RowPage } from '../storage/export-pages.ts';
import { exportFile, presign, uploadTarget } from './export-file.ts';
import { upload } from './multipart-upload.ts';

/**
 * Writes customers into a file on S3 and answers with a presigned address of it: as JSON, or as
 * a redirect where the caller asked for the file's own type.
 *
 * @param rows of the customers, in the format.
 * @param mustHoldSome whether an export of nobody is an error.
 * @param deadline ends the export as a failure that leaves nothing behind.
 * @throws Problem 404 for an export of nobody that must hold some; there is no file then.
 */
export async function answerExport(
  { merchant, accepted }: Request,
  format: Format,
  rows: AsyncIterable<RowPage>,
  { mustHoldSome = false, deadline }: { mustHoldSome?: boolean; deadline?: AbortSignal } = {},
): Promise<Answer> {
  const file = exportFile(merchant, format, randomUUID());
  let count = 0;
  async function* texts() {
    yield Buffer.from(format.head);
    for await (const page of rows) {
      count += page.count;
      yield page.text;
    }
    if (mustHoldSome && count === 0) throw new Problem(404, 'None of these customers exists.');
    yield Buffer.from(format.tail);
  }
  const [bytes, { url, expires }] = await Promise.all([
    upload(uploadTarget(file), texts(), deadline && { abortSignal: deadline }),
    // By then the first read is on its way, and the processor would wait for its answer.
    setImmediate().then(() => presign(file)),
  ]);
  if (accepted === format.mediaType) return { status: 303, headers: { location: url } };
  const { filename, contentType } = file;
  return { body: { url, expires, filename, contentType, count, bytes } };
}
