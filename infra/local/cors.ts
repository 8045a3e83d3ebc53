import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { CORS } from '../cors.ts';

/** The CORS configuration of an HTTP API. */
export interface Cors {
  /** Headers of the response to a preflight, or undefined if the request is none. */
  preflight(
    method: string | undefined,
    headers: IncomingHttpHeaders,
  ): OutgoingHttpHeaders | undefined;
  /** Returns a response's headers with those of API Gateway in place of the function's own. */
  withHeaders(request: IncomingHttpHeaders, response: OutgoingHttpHeaders): OutgoingHttpHeaders;
}

/**
 * Creates the CORS configuration for these origins. A page of another origin gets a response that
 * its browser does not let it read.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
 */
export function createCors(origins: readonly string[]): Cors {
  const allowed = ({ origin = '' }: IncomingHttpHeaders): OutgoingHttpHeaders =>
    origins.includes(origin) ? { 'access-control-allow-origin': origin, vary: 'Origin' } : {};
  return {
    preflight: (method, headers) => {
      const isPreflight =
        method === 'OPTIONS' && headers.origin && headers['access-control-request-method'];
      if (!isPreflight) return undefined;
      const allowOrigin = allowed(headers);
      if (Object.keys(allowOrigin).length === 0) return {};
      return {
        ...allowOrigin,
        'access-control-allow-methods': CORS.methods.join(','),
        'access-control-allow-headers': CORS.requestHeaders.join(',').toLowerCase(),
        'access-control-max-age': CORS.maxAgeS,
      };
    },
    withHeaders: (request, response) => {
      const own = Object.entries(response).filter(([name]) => !/^access-control-/.test(name));
      const allowOrigin = allowed(request);
      if (Object.keys(allowOrigin).length === 0) return Object.fromEntries(own);
      const vary = [response.vary, allowOrigin.vary].filter(Boolean).join(', ');
      return {
        ...Object.fromEntries(own),
        ...allowOrigin,
        vary,
        'access-control-expose-headers': CORS.responseHeaders.join(',').toLowerCase(),
      };
    },
  };
}
