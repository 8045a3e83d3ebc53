import * as v from 'valibot';
import { MAX_BODY_BYTES } from '../domain/limits.ts';
import { badHeader, badRequest, Problem } from './problem-details.ts';

/** Characters of a name or a value of the body that an error repeats. */
const MAX_TOLD = 200;
const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)$/;

/** The parts of an event that hold its body. */
interface Message {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
}

/**
 * Reads and checks a JSON body.
 *
 * @throws Problem 413 over {@link MAX_BODY_BYTES}, 415 for another media type, 400 for text that
 * is not JSON in UTF-8 or does not fit `schema`, naming every place.
 */
export function parseBody<S extends v.GenericSchema>(
  message: Message,
  schema: S,
): v.InferOutput<S> {
  return check(schema, parseJson(decode(message)));
}

/**
 * Checks a value against a schema.
 *
 * @throws Problem 400 that names every place that does not fit.
 */
function check<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw badRequest(
    result.issues.map((issue) => ({
      pointer: cut(toPointer(issue.path ?? [])),
      detail: cut(issue.message),
    })),
  );
}

function decode({ headers, body = '', isBase64Encoded }: Message): string {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) {
    throw new Problem(
      413,
      `The body has ${bytes.length} bytes; at most ${MAX_BODY_BYTES} are taken.`,
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

/** A body without Content-Type is taken for JSON (RFC 9110, section 8.3, lets the recipient guess). */
function checkMediaType(contentType: string | undefined): void {
  if (!contentType) return;
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = !charset || /^charset="?utf-?8"?$/.test(charset);
  if (JSON_TYPE.test(type) && isUtf8) return;
  const error = badHeader('Content-Type', 'must be application/json in UTF-8');
  throw new Problem(
    415,
    `Content-Type ${contentType} is not taken; send application/json in UTF-8.`,
    {
      errors: error.errors,
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

function cut(text: string): string {
  return text.length > MAX_TOLD ? `${text.slice(0, MAX_TOLD).toWellFormed()}…` : text;
}

/** JSON pointer (RFC 6901) of an issue's path. */
function toPointer(path: readonly { readonly key?: unknown }[]): string {
  return path
    .map(({ key }) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
