import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CAPACITY } from '../../infra/capacity.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { autocannon, type Options, type Result } from '../bench/autocannon.ts';
import { figure, progress } from '../bench/harness.ts';
import { EXISTING, fieldsOf, mix, type Part } from './mix.ts';
import { type Memory, type StackProcess, startStack } from './process.ts';

const USAGE = `Usage: npm run load -- [--seconds 60]
Loads the local stack with fifty callers, then with twice the requests that it can serve.
  --seconds  duration of the first load; the other two take a third of it each. In less than 30 the
             process does not warm up, and the growth of its memory is reported but not judged`;

const MERCHANT = 'load';
/** Share of the first load after which memory must stay constant. */
const WARM_UP = 1 / 2;
/**
 * Seconds that a warm-up takes: code is compiled and buffers are allocated until then. On a machine
 * under load the process grew from 442 to 494 MB from second 10 to 20, and by 6 MB in the next 7.
 */
const WARM_UP_S = 15;
const MEMORY_SAMPLES = 6;
/** Allowed growth of the heap: caches of the SDK and Node. */
const HEAP_GROWTH_BYTES = 8 * 1024 * 1024;
/** Allowed growth of the whole process, as a share: buffers of LevelDB. */
const ALL_GROWTH = 0.15;
/** Rate limit under overload, as a share of the measured throughput: the load uses CPU as well. */
const RATE_LIMIT_SHARE = 0.5;
const OVERLOAD_CALLERS = 200;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, help: { type: 'boolean' } },
});
const seconds = Number(values.seconds);
if (values.help || !(seconds >= 6)) {
  console.error(values.help ? USAGE : `--seconds must be a number of at least 6.\n${USAGE}`);
  process.exit(values.help ? 0 : 1);
}

const dataFolder = mkdtempSync(join(tmpdir(), 'load-'));
const failures: string[] = [];
try {
  const responsesPerSecond = await runLoad();
  await runOverload(responsesPerSecond);
} finally {
  rmSync(dataFolder, { recursive: true });
}
for (const failure of failures) console.error(`FAILURE: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Sends all requests at once, by fifty callers. Returns the responses per second. */
async function runLoad(): Promise<number> {
  const stack = await startStack({ dataFolder, merchants: [MERCHANT] });
  await createExisting(stack);
  const parts = mix();
  progress(`Load: ${parts.reduce((sum, { callers }) => sum + callers, 0)} callers, ${seconds} s.`);
  const memory = watchMemory(stack);
  const results = await Promise.all(parts.map((part) => send(stack, [part], { seconds })));
  const samples = await memory;
  await stack.end();

  const rows = parts.map(({ name }, index) => toRow(name, results[index] as Sent));
  console.table(Object.fromEntries(rows));
  const responseCount = results.reduce((sum, { times }) => sum + times.count, 0);
  console.log(`${figure(responseCount / seconds)} responses per second.`);
  console.table(samples.map(({ at, heapUsed, rss }) => ({ at, heap: MB(heapUsed), all: MB(rss) })));

  for (const [index, { statuses, broken }] of results.entries()) {
    const { name } = parts[index] as Part;
    const wrong = [...statuses.keys()].filter((status) => status !== 200);
    for (const status of wrong) {
      failures.push(`${name} got ${status} ${statuses.get(status)} times`);
    }
    if (broken > 0) failures.push(`${name}: ${broken} connections broke or timed out`);
  }
  if (seconds * WARM_UP >= WARM_UP_S) judgeMemory(samples);
  else
    console.log(`The growth of memory is not judged in less than ${WARM_UP_S / WARM_UP} seconds.`);
  return responseCount / seconds;
}

function judgeMemory(samples: readonly Memory[]): void {
  const [before, after] = [samples[0], samples.at(-1)] as [Memory, Memory];
  const growth = after.heapUsed - before.heapUsed;
  if (growth > HEAP_GROWTH_BYTES) failures.push(`objects grew by ${MB(growth)} after the warm-up`);
  if (after.rss > before.rss * (1 + ALL_GROWTH)) {
    failures.push(`the process grew from ${MB(before.rss)} to ${MB(after.rss)} after the warm-up`);
  }
}

/**
 * Sends twice the measured throughput, of which the excess must be rejected at once, then half of
 * the rate limit, which must succeed.
 */
async function runOverload(responsesPerSecond: number): Promise<void> {
  const rateLimit = Math.ceil(responsesPerSecond * RATE_LIMIT_SHARE);
  const capacity = { ...CAPACITY, api: { rateLimit, burstLimit: rateLimit } };
  const stack = await startStack({ dataFolder, merchants: [MERCHANT], capacity });
  const parts = mix().filter(({ name }) => !name.startsWith('export'));
  const duration = Math.ceil(seconds / 3);

  progress(
    `Overload: ${figure(responsesPerSecond * 2)} requests per second, of which ${rateLimit} are accepted.`,
  );
  const overload = await send(stack, parts, {
    seconds: duration,
    rate: Math.ceil(responsesPerSecond * 2),
  });
  progress(`After the overload: ${figure(rateLimit / 2)} requests per second.`);
  await setTimeout(1_000);
  const after = await send(stack, parts, { seconds: duration, rate: Math.ceil(rateLimit / 2) });
  await stack.end();

  const rows = [toRow('overload', overload), toRow('after it', after)];
  console.table(Object.fromEntries(rows));
  const isRejected = (status: number) => status === 429 || status === 503;
  for (const status of overload.statuses.keys()) {
    if (status !== 200 && !isRejected(status)) failures.push(`the overload got ${status}`);
  }
  if (![...overload.statuses.keys()].some(isRejected))
    failures.push('the overload got no 429 or 503');
  if (overload.broken > 0)
    failures.push(`${overload.broken} connections of the overload broke or timed out`);
  for (const status of after.statuses.keys()) {
    if (status !== 200) failures.push(`after the overload there was still a ${status}`);
  }
}

async function createExisting({ url, tokens: [token] }: StackProcess): Promise<void> {
  progress(`Creating ${EXISTING} customers.`);
  const positions = Array.from({ length: EXISTING }, (_, index) => index + 1);
  await mapConcurrently(positions, 8, async (nth) => {
    const response = await fetch(`${url}/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(fieldsOf(nth)),
    });
    if (!response.ok) throw new Error(`A customer was rejected: ${await response.text()}`);
  });
}

/** Results of a load. */
interface Sent {
  readonly times: RecordableHistogram;
  /** Response times of rejected requests. */
  readonly rejections: RecordableHistogram;
  readonly statuses: ReadonlyMap<number, number>;
  /** Connections that broke, or timed out after ten seconds. */
  readonly broken: number;
}

/**
 * Sends requests, of each part in turn.
 *
 * @param rate requests per second, regardless of responses; without it, each caller waits for its
 * response.
 */
async function send(
  { url, tokens: [token] }: StackProcess,
  parts: readonly Part[],
  { seconds: duration, rate }: { seconds: number; rate?: number },
): Promise<Sent> {
  const times = createHistogram();
  const rejections = createHistogram();
  const statuses = new Map<number, number>();
  const options: Options = {
    url,
    connections: rate ? OVERLOAD_CALLERS : (parts[0] as Part).callers,
    duration,
    ...(rate && { overallRate: rate }),
    headers: { authorization: `Bearer ${token}` },
    requests: parts
      .flatMap((part) => (rate ? Array<Part>(part.callers).fill(part) : part))
      .map(({ request, onResponse }) => ({
        setupRequest: (defaults) => {
          const { headers, ...generated } = request();
          return { ...defaults, ...generated, headers: { ...defaults.headers, ...headers } };
        },
        onResponse: (status, body) => onResponse?.(status, body),
      })),
  };
  const run = autocannon(options, () => {});
  run.on('response', (_client, status, _bytes, milliseconds) => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    (status < 400 ? times : rejections).record(Math.max(1, Math.round(milliseconds * 1_000)));
  });
  const [{ errors }] = (await once(run, 'done')) as [Result];
  return { times, rejections, statuses, broken: errors };
}

/** Takes samples of the memory after the warm-up. */
async function watchMemory(stack: StackProcess): Promise<(Memory & { at: string })[]> {
  const samples: (Memory & { at: string })[] = [];
  await setTimeout(seconds * WARM_UP * 1_000);
  for (let sample = 0; sample < MEMORY_SAMPLES; sample += 1) {
    const at = seconds * (WARM_UP + ((1 - WARM_UP) * sample) / MEMORY_SAMPLES);
    samples.push({ at: `${figure(at)} s`, ...(await stack.memory()) });
    await setTimeout((seconds * (1 - WARM_UP) * 1_000) / MEMORY_SAMPLES);
  }
  return samples;
}

function toRow(name: string, { times, rejections, statuses }: Sent) {
  const ms = (histogram: RecordableHistogram, percentile: number) =>
    histogram.count > 0 ? figure(histogram.percentile(percentile) / 1_000) : '';
  const counts = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  const row = {
    responses: counts,
    'p50 ms': ms(times, 50),
    'p99 ms': ms(times, 99),
    'p99 ms of rejections': ms(rejections, 99),
  };
  return [name, row] as const;
}

function MB(bytes: number): string {
  return `${figure(bytes / 1024 ** 2)} MB`;
}
