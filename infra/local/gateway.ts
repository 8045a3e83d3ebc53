import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { GATEWAY_MESSAGES } from '../gateway-messages.ts';
import type { Authorizer } from './authorizer.ts';
import { createCors } from './cors.ts';
import { toEvent } from './event.ts';
import { createServer } from './http.ts';
import { EventTooLargeError, type Invoke, ThrottledError } from './lambda.ts';
import { type HttpResponse, toHttpResponse } from './response.ts';
import { createRouter, type GatewayRoute } from './router.ts';

/** Limits of a request. */
interface GatewayLimits {
  /** Request line and header values together. */
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly integrationMs: number;
}

interface GatewayOptions {
  readonly routes: readonly GatewayRoute[];
  /** Function of the `$default` route; without one, a request that matches no route gets 404. */
  readonly defaultFunction?: string | undefined;
  readonly authorize: Authorizer;
  readonly invoke: Invoke;
  /** Handles a request outside the API, such as for a page; returns whether it did. */
  readonly pages?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly limits?: Partial<GatewayLimits>;
  /** Origins whose pages may call; without them there is no CORS. */
  readonly browserOrigins?: readonly string[] | undefined;
  /** Rate limits of all requests and of single routes; unlimited if not given. */
  readonly throttles?: readonly ((route: GatewayRoute | undefined) => boolean)[] | undefined;
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const LIMITS: GatewayLimits = {
  headerBytes: 10_240,
  bodyBytes: 10 * 1024 * 1024,
  integrationMs: 30_000,
};
/** Node's own limit, which closes the connection without a response, has to be higher. */
const NODE_HEADER_BYTES = 1024 * 1024;

/** The gateway rejects the request. */
class Rejection extends Error {
  readonly status: keyof typeof GATEWAY_MESSAGES;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: keyof typeof GATEWAY_MESSAGES,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(GATEWAY_MESSAGES[status]);
    this.status = status;
    this.headers = headers;
  }
}

/** Creates a server that handles requests as an HTTP API of API Gateway does. */
export function createGateway(options: GatewayOptions): Server {
  const { pages = () => false, browserOrigins = [] } = options;
  const handle = createHandler(options);
  const cors = browserOrigins.length > 0 ? createCors(browserOrigins) : undefined;
  return createServer({ maxHeaderSize: NODE_HEADER_BYTES }, async (request, response) => {
    if (pages(request, response)) return;
    const requestId = randomBytes(11).toString('base64');
    const send = ({ status, headers, body }: HttpResponse) => {
      response.writeHead(status, {
        ...(cors?.withHeaders(request.headers, headers) ?? headers),
        'content-length': body.length,
        'apigw-requestid': requestId,
      });
      response.end(body);
    };
    const preflight = cors?.preflight(request.method, request.headers);
    if (preflight) {
      response.writeHead(204, { ...preflight, 'apigw-requestid': requestId }).end();
      return;
    }
    try {
      send(await handle(request, requestId));
    } catch (error) {
      // The client has disconnected.
      if (request.socket.destroyed) return;
      const rejection = error instanceof Rejection ? error : new Rejection(500);
      if (rejection !== error) console.error(error);
      send(toErrorResponse(rejection));
    }
  });
}

function createHandler(options: GatewayOptions) {
  const { routes, defaultFunction, authorize, invoke, limits, throttles = [] } = options;
  const hasCors = (options.browserOrigins ?? []).length > 0;
  const { headerBytes, bodyBytes, integrationMs } = { ...LIMITS, ...limits };
  const findRoute = createRouter(routes);

  async function claimsOf({ headers: { authorization } }: IncomingMessage, scopes: string[]) {
    const caller = await authorize(authorization, scopes);
    if ('claims' in caller) return caller.claims;
    throw new Rejection(caller.status, { 'www-authenticate': caller.challenge });
  }

  return async (request: IncomingMessage, requestId: string): Promise<HttpResponse> => {
    if (headSize(request) > headerBytes) throw new Rejection(431);
    const { path, query } = parseTarget(request.url ?? '');
    const { route, pathParameters } = findRoute(request.method, path);
    if (!throttles.every((admit) => admit(route))) throw new Rejection(429);
    const functionName = route?.function ?? defaultFunction;
    if (!functionName) throw new Rejection(404);

    const scopes = route?.scope ? [route.scope] : [];
    // With CORS, each OPTIONS is of a route without an authorizer.
    const isPublic = route?.isPublic || (hasCors && request.method === 'OPTIONS');
    const claims = isPublic ? undefined : await claimsOf(request, scopes);
    const event = toEvent({
      request,
      requestId,
      path,
      query,
      routeKey: route ? `${route.method} ${route.path}` : '$default',
      pathParameters,
      claims,
      scopes,
      body: await readBody(request, bodyBytes),
    });
    return toHttpResponse(await withTimeout(integrationMs, invoke(functionName, event)));
  };
}

/** Returns the length of request line and header values, as API Gateway's quota counts it. */
function headSize({ method, url, httpVersion, rawHeaders }: IncomingMessage): number {
  const values = rawHeaders.filter((_, index) => index % 2 === 1);
  return [`${method} ${url} HTTP/${httpVersion}`, ...values].reduce(
    (sum, { length }) => sum + length,
    0,
  );
}

function parseTarget(target: string) {
  const [path = '', ...query] = target.split('?');
  try {
    return { path: decodeURIComponent(path), query: query.join('?') };
  } catch {
    throw new Rejection(400);
  }
}

/** Reads the body, to its end even if it is too large, so that the client gets the response. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) throw new Rejection(413);
  return Buffer.concat(chunks, size);
}

async function withTimeout(limitMs: number, result: Promise<unknown>): Promise<unknown> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Rejection(503)), limitMs);
  try {
    return await Promise.race([result, timeout.promise]);
  } catch (error) {
    if (error instanceof EventTooLargeError) throw new Rejection(413);
    // AWS does not document the status; callers report 503.
    if (error instanceof ThrottledError) throw new Rejection(503);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function toErrorResponse({ status, headers, message }: Rejection): HttpResponse {
  const body = Buffer.from(JSON.stringify({ message }));
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}
