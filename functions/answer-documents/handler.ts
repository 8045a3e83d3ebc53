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

const NOTHING_ELSE = ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];

/**
 * The reference may load from and call its own origin. `unsafe-inline` is for styles, which it sets on
 * elements; inline scripts do not run. Other pages may neither frame nor embed the documents.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
 */
const REFERENCE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  ...NOTHING_ELSE,
].join('; ');

/** The page has no inline styles, writes no HTML, and also sends files to the file store. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  ["connect-src 'self'", process.env[ENVIRONMENT.filesOrigin] ?? []].flat().join(' '),
  ...NOTHING_ELSE,
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': REFERENCE_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Serves the API reference, the page, and the documents that describe the API. They need no token. */
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
    const { file, type, hash, isImmutable, isPage } = document;
    const isCompressed = acceptsGzip(headers['accept-encoding']);
    // A strong entity tag stands for one representation (RFC 9110, section 8.8.3).
    const version = isCompressed ? `${hash}-gzip` : hash;
    const common = {
      ...SECURITY_HEADERS,
      ...(isPage && { 'content-security-policy': PAGE_POLICY }),
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
