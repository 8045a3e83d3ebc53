import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import middy from '@middy/core';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { acceptsGzip } from '../../shared/http/compression.ts';
import { entityTag, isInIfNoneMatch } from '../../shared/http/conditional-requests.ts';
import {
  BUNDLED_DOCUMENTS,
  type DocumentIndex,
  INDEX_FILE,
  REFERENCE_PATH,
} from '../../shared/http/document-index.ts';
import type { HttpEvent, HttpResponse } from '../../shared/http/event.ts';
import { Problem, problemDetails } from '../../shared/http/problem-details.ts';

/** In a bundle the documents are beside the code; the local stack has them elsewhere. */
const FOLDER =
  process.env[ENVIRONMENT.documentsFolder] ?? join(import.meta.dirname, BUNDLED_DOCUMENTS);
const INDEX: DocumentIndex = JSON.parse(read(INDEX_FILE).toString());

const YEAR_S = 31_536_000;

/**
 * The page may load from and call its own origin. `unsafe-inline` is for styles, which the reference
 * sets on elements; inline scripts do not run. Other pages may neither frame nor embed the documents.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
 */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Serves the API reference and the documents that describe the API. They need no token. */
export const handler = middy<HttpEvent, HttpResponse>()
  .use(problemDetails())
  .handler(async ({ rawPath, headers }) => {
    if (rawPath === '/') {
      return {
        statusCode: 302,
        headers: { ...SECURITY_HEADERS, 'cache-control': 'no-cache', location: REFERENCE_PATH },
      };
    }
    const document = Object.hasOwn(INDEX, rawPath) ? INDEX[rawPath] : undefined;
    if (!document) {
      throw new Problem(
        404,
        `There is nothing at ${rawPath}; the API reference is at ${REFERENCE_PATH}.`,
        { headers: SECURITY_HEADERS },
      );
    }
    const { file, type, hash, isImmutable } = document;
    const isCompressed = acceptsGzip(headers['accept-encoding']);
    // A strong entity tag stands for one representation (RFC 9110, section 8.8.3).
    const version = isCompressed ? `${hash}-gzip` : hash;
    const common = {
      ...SECURITY_HEADERS,
      'cache-control': isImmutable ? `public, max-age=${YEAR_S}, immutable` : 'public, no-cache',
      etag: entityTag(version),
      vary: 'accept-encoding',
    };
    const ifNoneMatch = headers['if-none-match'];
    if (ifNoneMatch !== undefined && isInIfNoneMatch(ifNoneMatch, version)) {
      return { statusCode: 304, headers: common };
    }
    return {
      statusCode: 200,
      headers: {
        ...common,
        'content-type': type,
        ...(isCompressed && { 'content-encoding': 'gzip' }),
      },
      body: read(isCompressed ? `${file}.gz` : file).toString(isCompressed ? 'base64' : 'utf8'),
      isBase64Encoded: isCompressed,
    };
  });

function read(file: string): Buffer {
  return readFileSync(join(FOLDER, file));
}
