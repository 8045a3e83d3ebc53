import type { Context } from 'aws-lambda';
import type { ApiContext } from '../../shared/http/api.ts';
import type { HttpEvent } from '../../shared/http/event.ts';

/** What a test sets of an event. */
interface EventParts {
  readonly headers?: Readonly<Record<string, string>>;
  readonly claims?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Returns an event of API Gateway for merchant 1001. */
export function httpEvent({
  headers = {},
  claims = { merchant_id: '1001' },
  query = '',
  pathParameters,
  body,
  isBase64Encoded = false,
}: EventParts = {}): HttpEvent & { body?: unknown; pathParameters?: unknown } {
  return {
    version: '2.0',
    routeKey: 'GET /test',
    rawPath: '/test',
    rawQueryString: query,
    headers: { ...headers },
    requestContext: {
      authorizer: { jwt: { claims: { ...claims }, scopes: [] } },
      http: { method: 'GET' },
      requestId: 'request-1',
      routeKey: 'GET /test',
    } as unknown as HttpEvent['requestContext'],
    isBase64Encoded,
    ...(pathParameters && { pathParameters }),
    ...(body !== undefined && { body }),
  };
}

/** Returns Lambda's context, which middlewares extend. */
export function lambdaContext(): ApiContext {
  const context: Partial<Context> = { getRemainingTimeInMillis: () => 29_000 };
  return context as ApiContext;
}
