import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { isLocal, localStack } from './api.ts';

/** An intercepted request. */
export interface Passing {
  /** DynamoDB's operation, such as GetItem; for S3 the method and the target. */
  readonly operation: string;
  readonly body: string;
  /** The User-Agent header. */
  readonly userAgent: string;
  /** Equal for all attempts of one SDK call. */
  readonly invocation: string;
  /** Resolves when the server has responded, or if the request does not reach it. */
  readonly done: Promise<void>;
}

/** What happens to a request. */
export type Fault =
  | Answering
  | Rewriting
  | Delaying
  /** The connection is closed without a response, and the server does not receive the request. */
  | 'hang up'
  /** There is no response. */
  | 'keep waiting'
  /** The server executes the request, but its response is truncated. */
  | 'cut the answer'
  /** The server executes the request, but the connection is closed before the response. */
  | 'lose the answer';

/** The proxy responds, and the server does not receive the request. */
interface Answering {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The server's response is changed. */
interface Rewriting {
  readonly rewrite: (body: string) => string;
}

/** The request is delayed. */
interface Delaying {
  readonly delayMs: number;
}

/** Chooses the fault of each request; undefined forwards it. */
export type Faults = (passing: Passing) => Fault | undefined | Promise<Fault | undefined>;

/** Injects a fault into the first requests whose operation and body match. */
export function first(count: number, fault: Fault, match = /^/) {
  let matched = 0;
  return ({ operation, body }: Passing): Fault | undefined => {
    if (!match.test(`${operation} ${body}`)) return undefined;
    matched += 1;
    return matched <= count ? fault : undefined;
  };
}

/** Longer than the SDK waits, which gives an attempt up after 4 seconds and sends the request again. */
const LATE_MS = 6_000;

/**
 * Has the first request whose operation and body match arrive after its retry. `begun` resolves when it
 * is sent, and `landed` when the server has responded to it.
 */
export function firstLate(match: RegExp) {
  const begun = Promise.withResolvers<void>();
  const landed = Promise.withResolvers<void>();
  const late = first(1, { delayMs: LATE_MS }, match);
  const faults: Faults = (passing) => {
    const fault = late(passing);
    if (fault) {
      begun.resolve();
      passing.done.then(landed.resolve);
    }
    return fault;
  };
  return { faults, begun: begun.promise, landed: landed.promise };
}

/**
 * Holds the first SDK call whose operation and body match back, with its retries, until `letGo` is called:
 * at most 16 seconds at DynamoDB, and 18 at S3, after which the SDK gives up. `reached` resolves when it is
 * sent, and `letGo` when the server has responded to it. Other calls pass, also if they match.
 */
export function hold(match: RegExp) {
  const reached = Promise.withResolvers<void>();
  let invocation: string | undefined;
  let isLetGo = false;
  let attempt = Promise.withResolvers<Fault | undefined>();
  let done: Promise<void> | undefined;
  const faults: Faults = (passing) => {
    if (isLetGo || !match.test(`${passing.operation} ${passing.body}`)) return undefined;
    invocation ??= passing.invocation;
    if (passing.invocation !== invocation) return undefined;
    // What the SDK has given up does not arrive.
    attempt.resolve('hang up');
    attempt = Promise.withResolvers();
    done = passing.done;
    reached.resolve();
    return attempt.promise;
  };
  const letGo = async () => {
    isLetGo = true;
    attempt.resolve(undefined);
    await done;
  };
  return { faults, reached: reached.promise, letGo };
}

/** Injects a fault into every request whose operation and body match. */
export const every = (fault: Fault, match?: RegExp) =>
  first(Number.POSITIVE_INFINITY, fault, match);

/** Internal text of an error, which no response may contain. */
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

/** Returns a response to BatchGetItem with `room` items, and the other keys unprocessed. */
export function unprocessed(body: string, room: number): string {
  const { Responses, UnprocessedKeys = {} } = JSON.parse(body);
  const [table] = Object.keys(Responses);
  if (!table) return body;
  const items: Record<string, unknown>[] = Responses[table];
  // The server itself leaves keys of large items unprocessed.
  const Keys = [
    ...(UnprocessedKeys[table]?.Keys ?? []),
    ...items.slice(room).map(({ pk, sk }) => ({ pk, sk })),
  ];
  return JSON.stringify({
    Responses: { [table]: items.slice(0, room) },
    UnprocessedKeys: Keys.length > 0 ? { [table]: { Keys, ConsistentRead: true } } : {},
  });
}

/** The faults of a proxy between the handlers and a server. */
export interface FaultProxy {
  /** Injects faults into requests that contain this text. */
  inject(text: string, faults: Faults): void;
  /** Removes the faults of requests that contain this text. */
  heal(text: string): void;
  /** Refuses connections while `work` runs. */
  whileDown<T>(work: () => Promise<T>): Promise<T>;
}

/** A running proxy. */
interface RunningProxy extends FaultProxy, LocalServer {}

/**
 * Puts a proxy in front of a server of the local stack, for the tests of a file. It sets the
 * environment variable of the endpoint, which the handlers' SDK reads on its first call.
 *
 * @param watch see {@link startFaultProxy}.
 */
export function useProxyOf(
  server: 'dynamodb' | 's3',
  watch?: (passing: Passing) => void,
): FaultProxy {
  return useFaultProxy(
    () => localStack()[`${server}Endpoint`],
    (endpoint) => {
      process.env[`AWS_ENDPOINT_URL_${server.toUpperCase()}`] = endpoint;
    },
    watch,
  );
}

/**
 * Puts a proxy in front of a server, for the tests of a file.
 *
 * @param endpoint returns the server's address.
 * @param connect is called with the proxy's.
 * @param watch see {@link startFaultProxy}.
 */
export function useFaultProxy(
  endpoint: () => string,
  connect: (endpoint: string) => void,
  watch?: (passing: Passing) => void,
): FaultProxy {
  let proxy: RunningProxy;
  beforeAll(async () => {
    if (!isLocal) return;
    proxy = await startFaultProxy(endpoint(), watch);
    connect(proxy.endpoint);
  });
  afterAll(() => proxy?.close());
  return {
    inject: (text, faults) => proxy.inject(text, faults),
    heal: (text) => proxy.heal(text),
    whileDown: (work) => proxy.whileDown(work),
  };
}

/**
 * Starts a proxy of the server at `endpoint`, without faults at first.
 *
 * @param watch called with each request, whatever its fault.
 */
async function startFaultProxy(
  endpoint: string,
  watch: (passing: Passing) => void = () => {},
): Promise<RunningProxy> {
  const injected = new Map<string, Faults>();
  const faultOf = (passing: Passing, body: Buffer) => {
    for (const [text, faults] of injected) {
      if (passing.operation.includes(text) || body.includes(text)) return faults(passing);
    }
    return undefined;
  };
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming).catch(() => undefined);
    // The client has given up while it sent, as after its time-out.
    if (!body) return;
    const done = Promise.withResolvers<void>();
    let text: string | undefined;
    const passing: Passing = {
      operation: operationOf(incoming),
      // Few faults look at it, and it can be a part of an upload.
      get body() {
        text ??= body.toString();
        return text;
      },
      userAgent: incoming.headers['user-agent'] ?? '',
      invocation: String(incoming.headers['amz-sdk-invocation-id']),
      done: done.promise,
    };
    watch(passing);
    const fault = await faultOf(passing, body);
    if (typeof fault === 'object' && 'delayMs' in fault) await setTimeout(fault.delayMs);
    if (fault === 'hang up') outgoing.destroy();
    else if (typeof fault === 'object' && 'status' in fault) send(outgoing, fault);
    // If the server closes the connection, the proxy does, too.
    else if (fault !== 'keep waiting')
      await pass(endpoint, incoming, body, outgoing, fault).catch(() => outgoing.destroy());
    done.resolve();
  });
  let running = await start(server, 0);
  const port = Number(new URL(running.endpoint).port);
  return {
    endpoint: running.endpoint + new URL(endpoint).pathname.replace(/\/$/, ''),
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
  // Headers are unchanged, including Host, since S3 verifies their signature.
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
