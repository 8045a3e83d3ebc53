import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type LocalServer, start } from '../../infra/local/server.ts';

/** What a call took of the table. */
export interface Consumption {
  /** Read units that DynamoDB charged for first attempts. */
  readonly units: number;
  /** Write units that DynamoDB charged of the table; dynalite reports none of the indexes. */
  readonly writeUnits: number;
  /** Round trips in sequence: the longest chain of requests each of which began after another. */
  readonly inSequence: number;
  readonly requests: number;
}

/** Stands between handlers and a DynamoDB server. */
export interface CountingProxy extends LocalServer {
  /** What was consumed since the last time. */
  take(): Consumption;
}

/** When a request was under way. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Operations that write, by the header that names the operation. */
const WRITES = /(?:(?:Put|Update|Delete|BatchWrite)Item|TransactWriteItems)$/;

/** The SDK says with each request which attempt it is, as in `attempt=2; max=4`. */
const RETRY = /\battempt=(?!1\b)/;

/** Starts a proxy that asks the server at `endpoint` for the units of each request. */
export async function startCountingProxy(endpoint: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  let units = 0;
  let writeUnits = 0;
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
    // On a machine under load the SDK times out and tries again, which says nothing of the call.
    const isRetry = RETRY.test(String(incoming.headers['amz-sdk-request']));
    const consumed = isRetry ? 0 : unitsOf(JSON.parse(bytes.toString()));
    if (WRITES.test(String(incoming.headers['x-amz-target']))) writeUnits += consumed;
    else units += consumed;
    spans.push({ from, to: performance.now() });
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.end(bytes);
  });
  const running = await start(server, 0);
  return {
    endpoint: running.endpoint,
    take: () => {
      const consumption = {
        units,
        writeUnits,
        inSequence: longestChain(spans),
        requests: spans.length,
      };
      units = 0;
      writeUnits = 0;
      spans = [];
      return consumption;
    },
    close: async () => {
      await running.close();
      agent.destroy();
    },
  };
}

/** The most requests of which each began when the one before had ended. */
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

/** One operation answers with its own consumption, a batch with one for each table. */
function unitsOf({ ConsumedCapacity }: { ConsumedCapacity?: unknown }): number {
  const consumed = [ConsumedCapacity ?? []].flat() as { CapacityUnits: number }[];
  return consumed.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
}
