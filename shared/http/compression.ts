import type { MiddlewareObj } from '@middy/core';
// The package's main module loads the parsers of four headers.
import preferredEncodings from 'negotiator/lib/encoding.js';
import type { HttpEvent, HttpResponse } from './event.ts';
import { Problem } from './problem-details.ts';

/** Smaller responses are hardly reduced by compression. */
const MIN_COMPRESSED_BYTES = 1_024;
/** Lambda's limit of a response, 6 MB, less room for the envelope around the body. */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024 - 16_384;

/** Middleware that compresses responses for callers that accept gzip, and enforces Lambda's limit. */
export function compression(): MiddlewareObj<HttpEvent, HttpResponse> {
  return {
    after: async ({ event, response }) => {
      if (response?.body === undefined) return;
      const bytes = Buffer.from(response.body);
      // A strong entity tag stands for one exact representation (RFC 9110, section 8.8.3).
      const mayCompress = bytes.length >= MIN_COMPRESSED_BYTES && !response.headers?.etag;
      if (mayCompress && acceptsGzip(event.headers['accept-encoding'])) {
        // Loaded on demand: it is a twentieth of a cold start.
        const { gzipSync } = await import('node:zlib');
        response.body = gzipSync(bytes).toString('base64');
        response.isBase64Encoded = true;
        response.headers = { ...response.headers, 'content-encoding': 'gzip' };
      }
      if (sizeOf(response) > MAX_RESPONSE_BYTES) {
        throw new Problem(400, 'The answer would be larger than 6 MB; ask for fewer customers.', {
          faults: [{ parameter: 'limit', detail: 'is too large for these customers' }],
        });
      }
    },
  };
}

function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return preferredEncodings(acceptEncoding, ['gzip', 'identity'])[0] === 'gzip';
}

/** Lambda sends the response as JSON, which escapes quotes and backslashes in text once more. */
function sizeOf({ body = '', isBase64Encoded }: HttpResponse): number {
  const escaped = isBase64Encoded ? 0 : (body.match(/["\\]/g)?.length ?? 0);
  return Buffer.byteLength(body) + escaped;
}
