import type { MiddlewareObj } from '@middy/core';
import { duplicateMembers, mayHaveMoreMembers } from '../domain/duplicate-members.ts';
import type { HttpEvent } from './event.ts';
import { FileBody, MERGE_PATCH_TYPE, parseMediaType } from './media-type.ts';
import { badRequest, MAX_FAULTS, Problem } from './problem-details.ts';
import { anyOf, pointerTo, type RequestSchemas } from './validation.ts';

/**
 * Maximum bytes of a request's body, 1 MiB: more than the largest valid customer or list of ids
 * needs, and well within the 6 MB that Lambda accepts.
 */
export const MAX_BODY_BYTES = 1_048_576;

const JSON_TYPE = 'application/json';
/** JSON with a structure of its own (RFC 6839). A patch is no representation of a customer. */
const JSON_SUFFIX = /^application\/(?![\w.+-]*patch)[\w.+-]+\+json$/;

const LOST_CHARACTER = '\ufffd';

/** The members of {@link RequestSchemas} that are about the body. */
type BodySchemas = Pick<RequestSchemas, 'body' | 'mergePatch' | 'files' | 'isBodyOptional'>;

/** An event with its body, before this middleware as text and after it as a parsed value. */
type BodyEvent = HttpEvent & { body?: unknown };

/**
 * Middleware that replaces `event.body` by the value of its JSON, if the endpoint has a schema for
 * it, or by a {@link FileBody} if the endpoint takes files of the body's type; other bodies are
 * ignored. Responds 413 to a body larger than {@link MAX_BODY_BYTES}, 415 to
 * another media type or a content coding, and 400 to a body that is missing, not JSON in UTF-8, or has a
 * member twice.
 */
export function jsonBody(request: BodySchemas): MiddlewareObj<BodyEvent> {
  return {
    before: ({ event }) => {
      event.body = request.body && bodyOf(event, request);
    },
  };
}

function bodyOf(event: BodyEvent, request: BodySchemas): unknown {
  const bytes = bytesOf(event);
  const { type } = parseMediaType(event.headers['content-type']) ?? {};
  if (type !== undefined && request.files?.includes(type)) {
    // API Gateway passes text on as UTF-8, in which other bytes are lost.
    if (!event.isBase64Encoded && bytes.includes(LOST_CHARACTER)) {
      const detail =
        'is not UTF-8, or has a character U+FFFD, the mark of a lost one; save the file in UTF-8, ' +
        'or create the import by JSON and upload the file as it is';
      throw badRequest([{ pointer: '', detail }]);
    }
    return new FileBody(type, bytes);
  }
  if (request.isBodyOptional && bytes.length === 0) return undefined;
  checkMediaType(event.headers['content-type'], request);
  const text = decode(bytes);
  const value = parseJson(text);
  checkMembers(text, value);
  return value;
}

function bytesOf({ headers, body, isBase64Encoded }: BodyEvent): Buffer {
  const bytes = Buffer.from(String(body ?? ''), isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) {
    throw new Problem(
      413,
      `The body has ${bytes.length} bytes; the maximum is ${MAX_BODY_BYTES} bytes.`,
    );
  }
  checkContentCoding(headers['content-encoding']);
  return bytes;
}

function decode(bytes: Buffer): string {
  if (bytes.length === 0) throw badRequest([{ pointer: '', detail: 'is missing' }]);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest([{ pointer: '', detail: 'is not UTF-8' }]);
  }
}

/**
 * Refuses a compressed body (RFC 9110, section 15.5.16). API Gateway passes JSON on as text, in which
 * compressed bytes are lost.
 */
function checkContentCoding(contentEncoding = ''): void {
  if (/^(?:identity)?$/i.test(contentEncoding.trim())) return;
  const detail = 'must be identity, or left out: send the body as it is';
  throw new Problem(415, `Content-Encoding ${detail}.`, {
    faults: [{ header: 'Content-Encoding', detail }],
    headers: { 'accept-encoding': 'identity' },
  });
}

/**
 * A body without Content-Type is taken as JSON (RFC 9110, section 8.3, lets the recipient guess). An
 * endpoint that takes a merge patch lists in Accept-Patch all that it takes (RFC 5789, section 2.2).
 */
function checkMediaType(
  contentType: string | undefined,
  { mergePatch, files = [] }: BodySchemas,
): void {
  const takesMergePatch = mergePatch !== undefined;
  const mediaType = parseMediaType(contentType);
  if (!mediaType) return;
  const { type, charset = 'utf-8' } = mediaType;
  const isTaken =
    type === JSON_TYPE || (takesMergePatch ? type === MERGE_PATCH_TYPE : JSON_SUFFIX.test(type));
  if (isTaken && /^utf-?8$/.test(charset)) return;
  const types = [JSON_TYPE, ...(takesMergePatch ? [MERGE_PATCH_TYPE] : []), ...files];
  const detail = `must be ${anyOf(types)}, in UTF-8`;
  const accept = types.join(', ');
  throw new Problem(415, `Content-Type ${detail}; got ${contentType}.`, {
    faults: [{ header: 'Content-Type', detail }],
    headers: { accept, ...(takesMergePatch && { 'accept-patch': accept }) },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    const place = /end of JSON input/i.test(message)
      ? 'it ends too early'
      : message.match(/at position \d+/)?.[0];
    throw badRequest([{ pointer: '', detail: `is not JSON${place ? `: ${place}` : ''}` }]);
  }
}

/** Refuses members that are there twice: which of them the caller means is not known. */
function checkMembers(text: string, value: unknown): void {
  // Counting is cheaper. What has members deeper in it is no body of any endpoint.
  const values = Array.isArray(value) ? value : [value];
  const members = values.reduce((sum: number, element) => sum + membersOf(element), 0);
  if (!mayHaveMoreMembers(text, members)) return;
  const faults = duplicateMembers(text, MAX_FAULTS).map((path) => ({
    pointer: pointerTo(path),
    detail: 'is there more than once; send it once',
  }));
  if (faults.length > 0) throw badRequest(faults);
}

function membersOf(value: unknown): number {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.keys(value).length : 0;
}
