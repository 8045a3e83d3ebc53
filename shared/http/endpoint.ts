import middy from '@middy/core';
import type {
  APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent,
  APIGatewayProxyStructuredResultV2 as ApiResponse,
  Context,
} from 'aws-lambda';
import Negotiator from 'negotiator';
import { toProblem } from '../aws-errors.ts';
import { claimNames } from '../environment.ts';
import { Problem } from './problem-details.ts';
import { Query } from './query.ts';

/** What a function answers. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Is sent as JSON. */
  readonly body?: unknown;
  /** Is JSON already, and sent as it is in place of a body. */
  readonly json?: string;
}

/** What a function is asked, with the merchant it answers for. */
export interface Request {
  /** Whose customers these are: from the verified token, never from the request itself. */
  readonly merchant: string;
  /** The token's claims, all strings. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly method: string;
  readonly rawPath: string;
  /** Path parameters, decoded. */
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: Query;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
  /** Address the caller used, without its query. */
  readonly url: string;
  /** The media type, of those the endpoint offers, that the caller likes best. */
  readonly accepted: string;
  /** How long the function may still take, in milliseconds. */
  readonly remainingMs: () => number;
}

/** A merchant's name becomes part of keys and paths, so it has none of their separators. */
const MERCHANT = /^(?!\.\.?$)[A-Za-z0-9_.-]{1,64}$/;
/** Smaller answers do not get smaller by much. */
const MIN_GZIP_BYTES = 1_024;
/** Lambda's limit of a response, 6 MB, less room for the envelope around the body. */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024 - 16_384;

/**
 * Makes a Lambda function of what an endpoint does: who asks, in which media type, and how
 * failures and answers are put are the same everywhere.
 *
 * @param offers media types the endpoint can answer in, the usual one first.
 */
export function endpoint(
  answer: (request: Request) => Promise<Answer>,
  { offers = ['application/json'] }: { offers?: readonly string[] } = {},
) {
  return middy<ApiEvent, ApiResponse>(async (event: ApiEvent, context: Context) =>
    toResponse(await answer(toRequest(event, context, offers))),
  )
    .use(problems())
    .use(compression());
}

function toRequest(event: ApiEvent, context: Context, offers: readonly string[]): Request {
  const { headers, rawPath, rawQueryString, requestContext } = event;
  const { claims } = requestContext.authorizer.jwt;
  const scheme = headers['x-forwarded-proto'] ?? 'https';
  return {
    merchant: merchantOf(claims),
    claims,
    method: requestContext.http.method,
    rawPath,
    path: event.pathParameters ?? {},
    query: new Query(rawQueryString),
    headers,
    body: event.body,
    isBase64Encoded: event.isBase64Encoded,
    url: `${scheme}://${headers.host ?? requestContext.domainName}${rawPath}`,
    accepted: negotiate(headers.accept, offers),
    remainingMs: () => context.getRemainingTimeInMillis(),
  };
}

function merchantOf(claims: Readonly<Record<string, unknown>>): string {
  const { merchant: name } = claimNames();
  const merchant = claims[name];
  if (typeof merchant === 'string' && MERCHANT.test(merchant)) return merchant;
  throw new Problem(403, `The token's claim ${name} names no merchant.`);
}

function negotiate(accept: string | undefined, offers: readonly string[]): string {
  // Whoever takes a type in one form, such as a charset, takes it. An empty list is as good as
  // none (RFC 9110, section 12.5.1).
  const bare = accept?.replace(/;(?!\s*q=)[^,;]*/gi, '').replace(/^[\s,]*$/, '');
  const headers = { accept: bare || undefined };
  const accepted = new Negotiator({ headers }).mediaType([...offers]);
  if (accepted) return accepted;
  const detail = `must allow ${offers.join(' or ')}`;
  throw new Problem(406, `Accept ${detail}.`, { errors: [{ header: 'Accept', detail }] });
}

function toResponse({ status = 200, headers, body, json }: Answer): ApiResponse {
  const text = json ?? JSON.stringify(body);
  return {
    statusCode: status,
    headers: {
      ...(text !== undefined && { 'content-type': 'application/json' }),
      // Personal data stays out of shared caches; a private one asks again before each use.
      'cache-control': 'private, no-cache',
      vary: 'accept, accept-encoding, authorization',
      ...headers,
    },
    ...(text !== undefined && { body: text }),
  };
}

/** Answers whatever is thrown as problem details. */
function problems(): middy.MiddlewareObj<ApiEvent, ApiResponse> {
  return {
    onError: (request) => {
      const problem = toProblem(request.error, request.event);
      request.response = {
        statusCode: problem.status,
        headers: {
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          ...problem.headers,
        },
        body: JSON.stringify(problem.toJson(request.event.requestContext.requestId)),
      };
    },
  };
}

/** Packs larger answers where the caller takes gzip, and keeps all inside Lambda's limit. */
function compression(): middy.MiddlewareObj<ApiEvent, ApiResponse, Error, Context> {
  return {
    after: async (request) => {
      const { body, headers } = request.response ?? {};
      if (!request.response || body === undefined) return;
      const bytes = Buffer.from(body);
      // A strong entity tag stands for one exact form (RFC 9110, section 8.8.3).
      const mayPack = bytes.length >= MIN_GZIP_BYTES && !headers?.etag;
      if (mayPack && acceptsGzip(request.event.headers['accept-encoding'])) {
        // Loaded by who needs it: it is a twentieth of a cold start.
        const { gzipSync } = await import('node:zlib');
        request.response.body = gzipSync(bytes).toString('base64');
        request.response.isBase64Encoded = true;
        request.response.headers = { ...headers, 'content-encoding': 'gzip' };
      }
      const size = Buffer.byteLength(request.response.body ?? '');
      // Quotes and backslashes are escaped once more on the way, in text but not in base64.
      const escaped = request.response.isBase64Encoded ? 0 : (body.match(/["\\]/g)?.length ?? 0);
      if (size + escaped > MAX_RESPONSE_BYTES) {
        throw new Problem(400, 'The answer would be larger than 6 MB; ask for fewer customers.', {
          errors: [{ parameter: 'limit', detail: 'is too large for these customers' }],
        });
      }
    },
  };
}

function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const headers = { 'accept-encoding': acceptEncoding };
  return new Negotiator({ headers }).encoding(['gzip', 'identity']) === 'gzip';
}
