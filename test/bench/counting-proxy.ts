import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type LocalServer, start } from '../../infra/local/server.ts';

/** Capacity and requests that a call consumed. */
export interface Consumption {
  /** Read units that DynamoDB reports. */
  readonly units: number;
  /** Sequential round trips: the longest chain of requests that each began after the previous. */
  readonly inSequence: number;
  readonly requests: number;
}

/** A proxy between handlers and a DynamoDB server that counts requests and read units. */
export interface CountingProxy extends LocalServer {
  /** Returns the consumption since the last call. */
  take(): Consumption;
}

/** Start and end of a request. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Starts a proxy that requests the consumed capacity with each request to `endpoint`. */
export async function startCountingProxy(endpoint: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  let units = 0;
  let spans: Span[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const from = performance.now();
    const input = JSON.parse((await buffer(incoming)).toString());
    const body = JSON.stringify({ ...input, ReturnConsumedCapacity: 'TOTAL' });
    const headers = { ...incoming.headers, 'content-length': Buffer.byteLength(body) };
    const onward = send({ hostname, port, agent, method: 'POST', path: '/', headers });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const bytes = await buffer(answer);
    units += unitsOf(JSON.parse(bytes.toString()));
    spans.push({ from, to: performance.now() });
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.end(bytes);
  });
  const running = await start(server, 0);
  return {
    endpoint: running.endpoint,
    take: () => {
      const consumption = { units, inSequence: longestChain(spans), requests: spans.length };
      units = 0;
      spans = [];
      return consumption;
    },
    close: async () => {
      await running.close();
      agent.destroy();
    },
  };
}

/** Returns the maximum number of requests that each began after the end of the previous. */
export function longestChain(spans: readonly Span[]): number {
  let length = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...spans].sort((a, b) => a.to - b.to)) {
    if (from < end) continue;
    length += 1;
    end = to;
  }
  return length;
}

/** Returns the consumed units: an operation reports one value, a batch one for each table. */
function unitsOf({ ConsumedCapacity }: { ConsumedCapacity?: unknown }): number {
  const consumed = [ConsumedCapacity ?? []].flat() as { CapacityUnits: number }[];
  return consumed.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
}
