import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 as ApiEvent } from 'aws-lambda';

/** A request, as the gateway has routed and authorized it. */
export interface GatewayRequest {
  readonly request: IncomingMessage;
  readonly requestId: string;
  /** Decoded, like API Gateway's `rawPath`, despite its name. */
  readonly path: string;
  /** Not decoded. */
  readonly query: string;
  /** `GET /customers/{id}`, or `$default`. */
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  /** Claims of the token; undefined if the route needs none. */
  readonly claims: Readonly<Record<string, string>> | undefined;
  /** Scopes of the route; empty if it has none. */
  readonly scopes: readonly string[];
  readonly body: Buffer;
}

/** Types of bodies that are passed as text; all others are passed as base64. */
const TEXT_TYPE = /^(?:text\/.*|application\/(?:json|xml|javascript))$/;
/** Hop-by-hop headers, which the gateway does not pass on (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/**
 * Returns the event of a request in the payload format 2.0 of HTTP APIs.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toEvent(gatewayRequest: GatewayRequest): ApiEvent {
  const { request, requestId, path, query, routeKey, pathParameters, claims, body } =
    gatewayRequest;
  const { cookie: cookies, ...headers } = headersOf(request, body);
  const domainName = headers.host?.replace(/:\d+$/, '') ?? '';
  const now = new Date();
  const isText = TEXT_TYPE.test(headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '');
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookies !== undefined && { cookies: cookies.split(/[;,] */) }),
    headers,
    ...(query !== '' && { queryStringParameters: queryParameters(query) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      ...(claims && {
        authorizer: {
          jwt: {
            claims: { ...claims },
            scopes: gatewayRequest.scopes.length > 0 ? [...gatewayRequest.scopes] : null,
          },
        },
      }),
      domainName,
      domainPrefix: domainName.split('.')[0] ?? '',
      http: {
        method: request.method ?? '',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey,
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(pathParameters).length > 0 && { pathParameters: { ...pathParameters } }),
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

function headersOf(request: IncomingMessage, body: Buffer): Record<string, string> {
  const { headersDistinct, socket } = request;
  const sent = Object.entries(headersDistinct).filter(([name]) => !HOP_BY_HOP.includes(name));
  const forwardedFor = [...(headersDistinct['x-forwarded-for'] ?? []), socket.remoteAddress];
  const second = Math.floor(Date.now() / 1_000).toString(16);
  return {
    ...Object.fromEntries(sent.map(([name, values = []]) => [name, values.join(',')])),
    'content-length': String(body.length),
    'x-amzn-trace-id': `Root=1-${second}-${randomBytes(12).toString('hex')}`,
    'x-forwarded-for': forwardedFor.join(', '),
    'x-forwarded-port': String(socket.localPort),
    'x-forwarded-proto': 'http',
  };
}

/** Returns the query parameters; values of a repeated one are joined with commas. */
function queryParameters(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  );
}

/** Formats a time as in the Common Log Format: `12/Mar/2020:19:03:58 +0000`. */
function commonLogTime(date: Date): string {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(date.toISOString()) ?? [];
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}
