import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

/** What the gateway knows of a request before it calls a function. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly requestId: string;
  /** Decoded, as API Gateway's `rawPath` is in spite of its name. */
  readonly path: string;
  /** As it was sent. */
  readonly query: string;
  /** `GET /customers/{id}`, or `$default`. */
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly claims: Readonly<Record<string, string>>;
  /** The route's scopes; none for a route without. */
  readonly scopes: readonly string[];
  readonly body: Buffer;
}

/** Any other body reaches the function as base64, also one without a type. */
const TEXT_TYPE = /^(?:text\/.*|application\/(?:json|xml|javascript))$/;
/** Of one connection only, so that they end at the gateway. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/**
 * The event that a function gets of an HTTP API, in payload format 2.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toEvent(arrival: Arrival): ApiEvent {
  const { request, requestId, path, query, routeKey, pathParameters, body } = arrival;
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
      authorizer: {
        jwt: {
          claims: { ...arrival.claims },
          scopes: arrival.scopes.length > 0 ? [...arrival.scopes] : null,
        },
      },
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

/** Values of repeated parameters are joined with commas. */
function queryParameters(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  );
}

/** 12/Mar/2020:19:03:58 +0000 */
function commonLogTime(date: Date): string {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(date.toISOString()) ?? [];
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}
