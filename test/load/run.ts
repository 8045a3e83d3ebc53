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
import { KEPT, mix, type Part, textsOf } from './mix.ts';
import { type Memory, type StackProcess, startStack } from './process.ts';

const USAGE = `Usage: npm run load -- [--seconds 60]
Puts the local stack under load of fifty callers, then under twice what it can serve.
  --seconds  how long the first load lasts; the others take a third of it each`;

const MERCHANT = 'load';
/** Of the time of the first load, after which memory is to stay the same. */
const WARM_UP = 1 / 3;
const MEMORY_SAMPLES = 6;
/** Objects of the functions and the gateway may grow by so much: caches of the SDK and Node. */
const HEAP_GROWTH_BYTES = 8 * 1024 * 1024;
/** The whole process may grow by this share: what writes leave in LevelDB's own buffers. */
const ALL_GROWTH = 0.15;
/** The load comes from the same processors: this much of what was served is taken on. */
const TAKEN_ON = 0.5;
const CALLERS_OF_FLOOD = 200;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, help: { type: 'boolean' } },
});
const seconds = Number(values.seconds);
if (values.help || !(seconds >= 6)) {
  console.error(values.help ? USAGE : `--seconds takes a number from 6 on.\n${USAGE}`);
  process.exit(values.help ? 0 : 1);
}

const dataFolder = mkdtempSync(join(tmpdir(), 'load-'));
const faults: string[] = [];
try {
  const served = await underLoad();
  await underFlood(served);
} finally {
  rmSync(dataFolder, { recursive: true });
}
for (const fault of faults) console.error(`FAULT: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

/** Everything at once, as much as fifty callers get through. Gives how much that was a second. */
async function underLoad(): Promise<number> {
  const stack = await startStack({ dataFolder, merchants: [MERCHANT] });
  await createKept(stack);
  const parts = mix();
  progress(`Load: ${parts.reduce((sum, { callers }) => sum + callers, 0)} callers, ${seconds} s.`);
  const memory = watchMemory(stack);
  const results = await Promise.all(parts.map((part) => send(stack, [part], { seconds })));
  const samples = await memory;
  await stack.end();

  const rows = parts.map(({ name }, index) => describe(name, results[index] as Sent));
  console.table(Object.fromEntries(rows));
  const answers = results.reduce((sum, { times }) => sum + times.count, 0);
  console.log(`${figure(answers / seconds)} answers a second.`);
  console.table(samples.map(({ at, heapUsed, rss }) => ({ at, heap: MB(heapUsed), all: MB(rss) })));

  for (const [index, { statuses, broken }] of results.entries()) {
    const { name } = parts[index] as Part;
    const wrong = [...statuses.keys()].filter((status) => status !== 200);
    for (const status of wrong) {
      faults.push(`${name} answered ${status} ${statuses.get(status)} times`);
    }
    if (broken > 0) faults.push(`${name}: ${broken} connections broke or timed out`);
  }
  const [before, after] = [samples[0], samples.at(-1)] as [Memory, Memory];
  const growth = after.heapUsed - before.heapUsed;
  if (growth > HEAP_GROWTH_BYTES) faults.push(`objects grew by ${MB(growth)} after the warm-up`);
  if (after.rss > before.rss * (1 + ALL_GROWTH)) {
    faults.push(`the process grew from ${MB(before.rss)} to ${MB(after.rss)} after the warm-up`);
  }
  return answers / seconds;
}

/** Twice what can be served, then half of it: is it turned away at once, and is it over then? */
async function underFlood(served: number): Promise<void> {
  const rateLimit = Math.ceil(served * TAKEN_ON);
  const capacity = { ...CAPACITY, api: { rateLimit, burstLimit: rateLimit } };
  const stack = await startStack({ dataFolder, merchants: [MERCHANT], capacity });
  const parts = mix().filter(({ name }) => !name.startsWith('export'));
  const duration = Math.ceil(seconds / 3);

  progress(`Flood: ${figure(served * 2)} calls a second, of which ${rateLimit} are taken on.`);
  const flood = await send(stack, parts, { seconds: duration, rate: Math.ceil(served * 2) });
  progress(`After it: ${figure(rateLimit / 2)} calls a second.`);
  await setTimeout(1_000);
  const after = await send(stack, parts, { seconds: duration, rate: Math.ceil(rateLimit / 2) });
  await stack.end();

  const rows = [describe('flood', flood), describe('after it', after)];
  console.table(Object.fromEntries(rows));
  const turnedAway = (status: number) => status === 429 || status === 503;
  for (const status of flood.statuses.keys()) {
    if (status !== 200 && !turnedAway(status)) faults.push(`the flood was answered ${status}`);
  }
  if (![...flood.statuses.keys()].some(turnedAway)) faults.push('the flood was no flood');
  if (flood.broken > 0) faults.push(`${flood.broken} connections of the flood broke or timed out`);
  for (const status of after.statuses.keys()) {
    if (status !== 200) faults.push(`after the flood there was still a ${status}`);
  }
}

async function createKept({ url, tokens: [token] }: StackProcess): Promise<void> {
  progress(`Creating ${KEPT} customers.`);
  const nths = Array.from({ length: KEPT }, (_, index) => index + 1);
  await mapConcurrently(nths, 8, async (nth) => {
    const response = await fetch(`${url}/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(textsOf(nth)),
    });
    if (!response.ok) throw new Error(`A customer was refused: ${await response.text()}`);
  });
}

/** What came back. */
interface Sent {
  readonly times: RecordableHistogram;
  /** Times of what was turned away. */
  readonly refusals: RecordableHistogram;
  readonly statuses: ReadonlyMap<number, number>;
  /** Connections that broke, or on which nothing came for ten seconds. */
  readonly broken: number;
}

/**
 * Sends requests, in turn of each part.
 *
 * @param rate a second, whether or not answers come; without it each caller waits for its answer.
 */
async function send(
  { url, tokens: [token] }: StackProcess,
  parts: readonly Part[],
  { seconds: duration, rate }: { seconds: number; rate?: number },
): Promise<Sent> {
  const times = createHistogram();
  const refusals = createHistogram();
  const statuses = new Map<number, number>();
  const options: Options = {
    url,
    connections: rate ? CALLERS_OF_FLOOD : (parts[0] as Part).callers,
    duration,
    ...(rate && { overallRate: rate }),
    headers: { authorization: `Bearer ${token}` },
    requests: parts
      .flatMap((part) => (rate ? Array<Part>(part.callers).fill(part) : part))
      .map(({ request, seen }) => ({
        setupRequest: (usual) => {
          const { headers, ...made } = request();
          return { ...usual, ...made, headers: { ...usual.headers, ...headers } };
        },
        onResponse: (status, body) => seen?.(status, body),
      })),
  };
  const run = autocannon(options, () => {});
  run.on('response', (_client, status, _bytes, milliseconds) => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    (status < 400 ? times : refusals).record(Math.max(1, Math.round(milliseconds * 1_000)));
  });
  const [{ errors }] = (await once(run, 'done')) as [Result];
  return { times, refusals, statuses, broken: errors };
}

/** Samples of the memory after the warm-up. */
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

function describe(name: string, { times, refusals, statuses }: Sent) {
  const ms = (histogram: RecordableHistogram, percentile: number) =>
    histogram.count > 0 ? figure(histogram.percentile(percentile) / 1_000) : '';
  const told = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  const row = {
    answers: told,
    'p50 ms': ms(times, 50),
    'p99 ms': ms(times, 99),
    'p99 ms of refusals': ms(refusals, 99),
  };
  return [name, row] as const;
}

function MB(bytes: number): string {
  return `${figure(bytes / 1024 ** 2)} MB`;
}
