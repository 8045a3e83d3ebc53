import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { start } from '../../infra/local/server.ts';
import { localStack } from './api.ts';

/** A request on its way to the server. */
export interface Passing {
  /** DynamoDB's operation, such as GetItem; for S3 the method and the target. */
  readonly operation: string;
  readonly body: string;
  /** The client's own name for itself. */
  readonly userAgent: string;
  /** The same for each try of what the SDK was asked once. */
  readonly invocation: string;
}

/** What becomes of a request. */
export type Fault =
  | Answering
  | Rewriting
  | Delaying
  /** The connection ends without an answer, and the server never hears of it. */
  | 'hang up'
  /** Nothing happens at all. */
  | 'keep waiting'
  /** The server does what it is asked, but its answer breaks off. */
  | 'cut the answer'
  /** The server does what it is asked, but the connection ends before its answer begins. */
  | 'lose the answer';

/** It is answered by this; the server never hears of it. */
interface Answering {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The server's answer is changed. */
interface Rewriting {
  readonly rewrite: (body: string) => string;
}

/** It goes its way a little later. */
interface Delaying {
  readonly delayMs: number;
}

/** Decides on each request, at once or after something else; one without a fault goes its way. */
export type Faults = (passing: Passing) => Fault | undefined | Promise<Fault | undefined>;

/** The first requests whose operation and body match have a fault. */
export function first(count: number, fault: Fault, match = /^/) {
  let seen = 0;
  return ({ operation, body }: Passing): Fault | undefined => {
    if (!match.test(`${operation} ${body}`)) return undefined;
    seen += 1;
    return seen <= count ? fault : undefined;
  };
}

/** Every request whose operation and body match has a fault. */
export const every = (fault: Fault, match?: RegExp) =>
  first(Number.POSITIVE_INFINITY, fault, match);

/** What a server says of itself in an error; it is to stay in the log. */
const INTERNAL = 'arn:aws:dynamodb:eu-north-1:123456789012:table/customers is not well';

/** An error of DynamoDB. */
export const dynamodbError = (status: number, name: string): Fault => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: INTERNAL }),
});

/** An error of S3. */
export const s3Error = (status: number, code: string): Fault => ({
  status,
  body: `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${INTERNAL}</Message></Error>`,
});

/** A BatchGetItem's answer as of a table that had room for so many keys of those it was asked for. */
export function unprocessed(body: string, room: number): string {
  const { Responses, UnprocessedKeys = {} } = JSON.parse(body);
  const [table] = Object.keys(Responses);
  if (!table) return body;
  const items: Record<string, unknown>[] = Responses[table];
  // The server itself leaves some where they are large.
  const Keys = [
    ...(UnprocessedKeys[table]?.Keys ?? []),
    ...items.slice(room).map(({ pk, sk }) => ({ pk, sk })),
  ];
  return JSON.stringify({
    Responses: { [table]: items.slice(0, room) },
    UnprocessedKeys: Keys.length > 0 ? { [table]: { Keys, ConsistentRead: true } } : {},
  });
}

/** Stands between handlers and a server. */
export interface FaultProxy {
  readonly endpoint: string;
  /** From now on requests that contain this text have these faults. */
  inject(text: string, faults: Faults): void;
  /** From now on requests that contain this text go their way. */
  heal(text: string): void;
  /** Refuses connections while something is done. */
  whileDown<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Starts a proxy of one of the local stack's servers, and leads the handlers to it: their SDK reads
 * where the servers are on its first call.
 *
 * @param watch as {@link startFaultProxy} has it.
 */
export async function startProxyOf(
  server: 'dynamodb' | 's3',
  watch?: (passing: Passing) => void,
): Promise<FaultProxy> {
  const proxy = await startFaultProxy(localStack()[`${server}Endpoint`], watch);
  process.env[`AWS_ENDPOINT_URL_${server.toUpperCase()}`] = proxy.endpoint;
  return proxy;
}

/**
 * Starts a proxy of the server at `endpoint`, at first without faults.
 *
 * @param watch is told of each request, whatever becomes of it.
 */
export async function startFaultProxy(
  endpoint: string,
  watch: (passing: Passing) => void = () => {},
): Promise<FaultProxy> {
  const injected = new Map<string, Faults>();
  const faultOf = (passing: Passing) => {
    for (const [text, faults] of injected) {
      if (`${passing.operation}${passing.body}`.includes(text)) return faults(passing);
    }
    return undefined;
  };
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const passing = {
      operation: operationOf(incoming),
      body: body.toString(),
      userAgent: incoming.headers['user-agent'] ?? '',
      invocation: String(incoming.headers['amz-sdk-invocation-id']),
    };
    watch(passing);
    const fault = await faultOf(passing);
    if (fault === 'keep waiting') return;
    if (typeof fault === 'object' && 'delayMs' in fault) await setTimeout(fault.delayMs);
    if (fault === 'hang up') outgoing.destroy();
    else if (typeof fault === 'object' && 'status' in fault) send(outgoing, fault);
    // Where the server itself hangs up, so does the proxy.
    else await pass(endpoint, incoming, body, outgoing, fault).catch(() => outgoing.destroy());
  });
  let running = await start(server, 0);
  const port = Number(new URL(running.endpoint).port);
  return {
    endpoint: running.endpoint,
    inject: (text, faults) => injected.set(text, faults),
    heal: (text) => injected.delete(text),
    whileDown: async (work) => {
      await running.close();
      try {
        return await work();
      } finally {
        running = await start(server, port);
      }
    },
    close: () => running.close(),
  };
}

function operationOf({ method, url, headers }: IncomingMessage): string {
  return String(headers['x-amz-target'] ?? '').split('.')[1] ?? `${method} ${url}`;
}

async function pass(
  endpoint: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  fault: Rewriting | Delaying | 'cut the answer' | 'lose the answer' | undefined,
): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  // Headers stay as they are, also Host: S3 verifies a signature over them.
  const onward = request({ hostname, port, method, path: url, headers });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const bytes = await buffer(answer);
  const status = answer.statusCode ?? 500;
  if (fault === 'cut the answer') {
    outgoing.writeHead(status, { 'content-length': bytes.length + 1 });
    outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy());
  } else if (fault === 'lose the answer') {
    outgoing.destroy();
  } else if (fault && 'rewrite' in fault) {
    send(outgoing, { status, body: fault.rewrite(bytes.toString()) });
  } else {
    outgoing.writeHead(status, answer.headers);
    outgoing.end(bytes);
  }
}

function send(outgoing: ServerResponse, { status, body, headers }: Answering): void {
  const type = body.startsWith('<') ? 'application/xml' : 'application/x-amz-json-1.0';
  outgoing.writeHead(status, { 'content-type': type, ...headers });
  outgoing.end(body);
}
