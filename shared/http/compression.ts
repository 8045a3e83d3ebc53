import type { MiddlewareObj } from '@middy/core';
// The package's main module loads the parsers of four headers.
import preferredEncodings from 'negotiator/lib/encoding.js';
import type { HttpEvent, HttpResponse } from './event.ts';

/** Smaller responses are hardly reduced by compression. */
const MIN_COMPRESSED_BYTES = 1_024;
/** Middleware that compresses responses for callers that accept gzip. */
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
    },
  };
}

/** Returns whether a caller with this `Accept-Encoding` prefers gzip to no compression. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return preferredEncodings(acceptEncoding, ['gzip', 'identity'])[0] === 'gzip';
}
