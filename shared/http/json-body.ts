import type { MiddlewareObj } from '@middy/core';
import type { HttpEvent } from './event.ts';
import { badRequest, Problem } from './problem-details.ts';
import type { RequestSchemas } from './validation.ts';

/**
 * Maximum bytes of a request's body, 1 MiB: more than the largest valid customer or list of ids
 * needs, and well within the 6 MB that Lambda accepts.
 */
export const MAX_BODY_BYTES = 1_048_576;

const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)$/;

/** An event with its body, before this middleware as text and after it as a parsed value. */
type BodyEvent = HttpEvent & { body?: unknown };

/**
 * Middleware that replaces `event.body` by the value of its JSON, if the endpoint has a schema for
 * it; other bodies are ignored. Responds 413 to a body larger than {@link MAX_BODY_BYTES}, 415 to
 * another media type, and 400 to a body that is missing or not JSON in UTF-8.
 */
export function jsonBody(request: Pick<RequestSchemas, 'body'>): MiddlewareObj<BodyEvent> {
  return {
    before: ({ event }) => {
      event.body = request.body && parseJson(decode(event));
    },
  };
}

function decode({ headers, body, isBase64Encoded }: BodyEvent): string {
  const bytes = Buffer.from(String(body ?? ''), isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) {
    throw new Problem(
      413,
      `The body has ${bytes.length} bytes; the maximum is ${MAX_BODY_BYTES} bytes.`,
    );
  }
  checkMediaType(headers['content-type']);
  if (bytes.length === 0) throw badRequest([{ pointer: '', detail: 'is missing' }]);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest([{ pointer: '', detail: 'is not UTF-8' }]);
  }
}

/** A body without Content-Type is taken as JSON (RFC 9110, section 8.3, lets the recipient guess). */
function checkMediaType(contentType: string | undefined): void {
  if (!contentType) return;
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = !charset || /^charset="?utf-?8"?$/.test(charset);
  if (JSON_TYPE.test(type) && isUtf8) return;
  throw new Problem(
    415,
    `Content-Type ${contentType} is not supported; send application/json in UTF-8.`,
    {
      faults: [{ header: 'Content-Type', detail: 'must be application/json in UTF-8' }],
      headers: { accept: 'application/json' },
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as SyntaxError).message.match(/at position \d+|end of JSON input/i)?.[0];
    throw badRequest([{ pointer: '', detail: `is not JSON${reason ? ` (${reason})` : ''}` }]);
  }
}
