import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';
import { ENDPOINTS } from '../../infra/endpoints.ts';

/** One request to a function. */
export interface Call {
  /** Merchant whose token it has. */
  readonly merchant: string;
  readonly query?: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Returns the event in payload format 2.0 that API Gateway creates for a request. */
export function eventOf(
  name: string,
  { merchant, query = '', pathParameters, body }: Call,
): ApiEvent {
  const route = ENDPOINTS.find((candidate) => candidate.function === name);
  if (!route) throw new Error(`No route calls ${name}.`);
  const path = route.path.replace(
    /\{(\w+)\}/g,
    (_, parameter) => pathParameters?.[parameter] ?? '',
  );
  const routeKey = `${route.method} ${route.path}`;
  const text = body === undefined ? undefined : JSON.stringify(body);
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    headers: {
      accept: '*/*',
      authorization: 'Bearer verified-by-the-gateway',
      'content-length': String(Buffer.byteLength(text ?? '')),
      ...(text !== undefined && { 'content-type': 'application/json' }),
      host: 'abcdefghij.execute-api.eu-north-1.amazonaws.com',
      'user-agent': 'bench',
      'x-amzn-trace-id': 'Root=1-65f0c1a2-0123456789abcdef01234567',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    ...(query && { queryStringParameters: Object.fromEntries(new URLSearchParams(query)) }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      authorizer: {
        principalId: '',
        integrationLatency: 0,
        jwt: { claims: { merchant_id: merchant, scope: route.scope }, scopes: [route.scope] },
      },
      domainName: 'abcdefghij.execute-api.eu-north-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: {
        method: route.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'bench',
      },
      requestId: 'Kp1rXg2pDvPBzJw=',
      routeKey,
      stage: '$default',
      time: '01/Mar/2026:12:00:00 +0000',
      timeEpoch: 1_772_366_400_000,
    },
    ...(pathParameters && { pathParameters: { ...pathParameters } }),
    ...(text !== undefined && { body: text }),
    isBase64Encoded: false,
  };
}
