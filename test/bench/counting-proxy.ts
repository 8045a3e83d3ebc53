import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type LocalServer, start } from '../../infra/local/server.ts';

/** What a call took of the table. */
export interface Consumption {
  /** Read units that DynamoDB charged, once for each request however often it was attempted. */
  readonly units: number;
  /** Write units that DynamoDB charged of the table, without those of its indexes. */
  readonly writeUnits: number;
  /** Round trips in sequence: the longest chain of requests each of which began after another. */
  readonly inSequence: number;
  readonly requests: number;
}

/** Stands between handlers and a DynamoDB server. */
export interface CountingProxy extends LocalServer {
  /** What was consumed since the last time. */
  take(): Consumption;
  /** Requests so far whose partition had given what it gives. */
  throttled(): number;
}

/** Units that one partition gives in a second, of the table and of each index. */
export interface PartitionLimits {
  readonly readUnits: number;
  readonly writeUnits: number;
}

/** What an operation consumed, as DynamoDB returns it. */
interface Consumed {
  /** Of the table and its indexes. */
  readonly CapacityUnits: number;
  readonly Table?: { readonly CapacityUnits: number };
}

/** When a request was under way. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Operations that write, by the header that names the operation. */
const WRITES = /(?:(?:Put|Update|Delete|BatchWrite)Item|TransactWriteItems)$/;

/** Turns of the event loop in which what was sent at once also arrives: on new connections in three. */
const ARRIVAL_TURNS = 20;

/**
 * Starts a proxy that asks the server at `endpoint` for the units of each request.
 *
 * @param options `limits` beyond which requests are throttled, without what DynamoDB saves up for
 * bursts; `roundMs`, with which requests that are sent at once are answered at once: after this time at
 * least, and when no other one arrives. So they overlap, however busy the machine is.
 */
export async function startCountingProxy(
  endpoint: string,
  { limits, roundMs }: { limits?: PartitionLimits | undefined; roundMs?: number } = {},
): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  let units = 0;
  let writeUnits = 0;
  let spans: Span[] = [];
  let throttled = 0;
  /** Requests that were counted, by the id that all attempts of the SDK have. */
  let counted = new Set<string>();
  const partitions = limits && new Partitions(limits);
  const rounds = roundMs === undefined ? undefined : new Rounds(roundMs);
  const server = createServer(async (incoming, outgoing) => {
    const from = performance.now();
    rounds?.begin();
    const text = (await buffer(incoming)).toString();
    const input = JSON.parse(text);
    const isWrite = WRITES.test(String(incoming.headers['x-amz-target']));
    const partition = `${isWrite} ${input.IndexName} ${/MERCHANT#[^"]*/.exec(text)?.[0]}`;
    if (partitions?.isExhausted(partition, isWrite)) {
      throttled += 1;
      await rounds?.end();
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      outgoing.end(JSON.stringify({ __type: THROTTLED }));
      return;
    }
    const body = JSON.stringify({ ...input, ReturnConsumedCapacity: 'INDEXES' });
    const headers = { ...incoming.headers, 'content-length': Buffer.byteLength(body) };
    const onward = send({ hostname, port, agent, method: 'POST', path: '/', headers });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const bytes = await buffer(answer);
    const consumed = unitsOf(JSON.parse(bytes.toString()), isWrite);
    partitions?.take(partition, consumed);
    await rounds?.end();
    // On a machine under load the SDK times out and tries again, which says nothing of the call.
    const id = String(incoming.headers['amz-sdk-invocation-id'] ?? randomUUID());
    if (!counted.has(id)) {
      if (isWrite) writeUnits += consumed;
      else units += consumed;
      spans.push({ from, to: performance.now() });
    }
    counted.add(id);
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    outgoing.end(bytes);
  });
  const running = await start(server, 0);
  return {
    endpoint: running.endpoint,
    throttled: () => throttled,
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
      counted = new Set();
      return consumption;
    },
    close: async () => {
      await running.close();
      agent.destroy();
    },
  };
}

const THROTTLED = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';

/** Requests that are under way at once. */
class Rounds {
  readonly #leastMs: number;
  /** Requests that the server has not answered, and how many there have been. */
  #pending = 0;
  #begun = 0;
  /** Those that are answered at the end of the round. */
  #answered: (() => void)[] = [];
  #isEnding = false;

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  begin(): void {
    this.#pending += 1;
    this.#begun += 1;
  }

  /** Resolves at the end of a request's round. */
  end(): Promise<void> {
    this.#pending -= 1;
    const end = new Promise<void>((resolve) => this.#answered.push(resolve));
    if (!this.#isEnding) void this.#endRound();
    return end;
  }

  /** Ends the round, unless the server has yet to answer a request: that one's answer ends it. */
  async #endRound(): Promise<void> {
    this.#isEnding = true;
    for (let begun = -1; this.#pending === 0 && begun !== this.#begun; ) {
      begun = this.#begun;
      await setTimeout(this.#leastMs);
      for (let turn = 0; turn < ARRIVAL_TURNS; turn += 1) await setImmediate();
    }
    this.#isEnding = false;
    if (this.#pending > 0) return;
    for (const resolve of this.#answered.splice(0)) resolve();
  }
}

/** What partitions have left to give: each is a bucket that fills up in a second. */
class Partitions {
  readonly #limits: PartitionLimits;
  readonly #left = new Map<string, { units: number; atMs: number }>();

  constructor(limits: PartitionLimits) {
    this.#limits = limits;
  }

  isExhausted(partition: string, isWrite: boolean): boolean {
    const perSecond = isWrite ? this.#limits.writeUnits : this.#limits.readUnits;
    const now = performance.now();
    const { units, atMs } = this.#left.get(partition) ?? { units: perSecond, atMs: now };
    const filled = Math.min(perSecond, units + ((now - atMs) / 1_000) * perSecond);
    this.#left.set(partition, { units: filled, atMs: now });
    return filled <= 0;
  }

  /** Takes units that a request has consumed, also those that are not there any more. */
  take(partition: string, units: number): void {
    const left = this.#left.get(partition);
    if (left) left.units -= units;
  }
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

/**
 * Returns what an operation consumed; a write of the table alone. An operation responds with its own
 * consumption, a batch with one for each table.
 */
function unitsOf(response: { ConsumedCapacity?: unknown }, isWrite: boolean): number {
  const consumed = [response.ConsumedCapacity ?? []].flat() as Consumed[];
  return consumed.reduce((sum, each) => {
    const { CapacityUnits } = isWrite ? (each.Table ?? each) : each;
    return sum + CapacityUnits;
  }, 0);
}
