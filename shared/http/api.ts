import middy from '@middy/core';
import { compression } from './compression.ts';
import { contentNegotiation, type NegotiationContext } from './content-negotiation.ts';
import type { HttpEvent, HttpResponse } from './event.ts';
import { jsonBody } from './json-body.ts';
import { type MerchantContext, merchantContext } from './merchant-context.ts';
import { problemDetails } from './problem-details.ts';
import { type RequestSchemas, validation } from './validation.ts';

/** What the middlewares add to Lambda's context. */
export type ApiContext = MerchantContext & NegotiationContext;

/**
 * Returns the middlewares that every endpoint has, to be completed by its handler. They run from
 * top to bottom before the handler, and from bottom to top after it.
 *
 * @param request schemas of the request: the handler gets the parsed values in
 * `event.pathParameters`, `event.queryStringParameters` and `event.body`.
 * @param produces media types of the response, the default one first.
 * @example
 * export const handler = api(request).handler(async (event, { merchantId }) =>
 *   json({ count: await countCustomers(merchantId, event.queryStringParameters) }),
 * );
 */
export function api<R extends RequestSchemas>(
  request: R,
  { produces = ['application/json'] }: { produces?: readonly string[] } = {},
) {
  return middy<HttpEvent, HttpResponse>()
    .use(problemDetails())
    .use(compression())
    .use(merchantContext())
    .use(contentNegotiation(produces))
    .use(jsonBody(request))
    .use(validation(request));
}

/** Returns a JSON response of a value. */
export function json(value: unknown, response: HttpResponse = {}): HttpResponse {
  return jsonText(JSON.stringify(value), response);
}

/** Returns a response of a text that is JSON. */
export function jsonText(text: string, response: HttpResponse = {}): HttpResponse {
  const { headers, ...rest } = noContent(response);
  return { ...rest, headers: { 'content-type': 'application/json', ...headers }, body: text };
}

/** Returns a response without a body. */
export function noContent({ headers, ...response }: HttpResponse): HttpResponse {
  return {
    statusCode: 200,
    ...response,
    headers: {
      // Personal data stays out of shared caches; a private cache revalidates before each use.
      'cache-control': 'private, no-cache',
      vary: 'accept, accept-encoding, authorization',
      ...headers,
    },
  };
}
