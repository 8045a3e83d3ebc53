import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { ensureTable } from '../../infra/local/ensure-table.ts';
import { startS3 } from '../../infra/local/s3.ts';
import { variedCustomer } from '../../infra/local/varied-customers.ts';
import { SNAPSHOT_FROM_ID } from '../../shared/domain/limits.ts';
import { toSearchAttributes } from '../../shared/domain/search-attributes.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import type { IndexEntry } from '../../shared/storage/snapshots/snapshot-format.ts';
import { SnapshotWriter } from '../../shared/storage/snapshots/snapshot-writer.ts';
import { createLargeMerchant } from '../support/large-merchant.ts';
import type { ColdStart } from './child/caller.ts';
import type { SearchCost, SearchTask } from './child/searcher.ts';
import { type Consumption, startCountingProxy } from './counting-proxy.ts';
import { environmentOf, TABLE } from './environment.ts';
import { eventOf } from './events.ts';
import { type Comparison, compare, progress, statsOf } from './harness.ts';
import type { Bench, Measure } from './measure.ts';
import { coldStart } from './processes.ts';

/** Customers that differ; more of them repeat these under other ids, in other frames. */
const VARIED = 131_072;
const MEGABYTE = 1_000_000;
const DAY_MS = 86_400_000;
const TEN_YEARS_MS = 3_650 * DAY_MS;

/** Limits for a million customers. */
const LIMITS = {
  bytesPerCustomer: 30,
  countReadBytes: 400_000,
  countMs: 25,
  coldSearchMs: 700,
  coldSearchUnits: 250,
  warmSearchMs: 150,
  memoryMb: 450,
};

/**
 * Measures snapshots of a million customers with realistic Swedish texts: size of the file, and CPU
 * time, bytes read and memory of counts, each in a process of its own that has not read the file yet. Then
 * the first search of the deployed function, from loading its bundle to its response, against local servers.
 */
export const measureSnapshots: Measure = async ({ bundles, quick }) => {
  const customers = quick ? VARIED : 1_000_000;
  const rounds = quick ? 2 : 5;
  const folder = mkdtempSync(join(tmpdir(), 'snapshot-'));
  try {
    const file = join(folder, 'snapshot');
    progress(`snapshots: writing ${customers.toLocaleString('en')} customers`);
    const { bytes, headBytes } = writeSnapshot(file, customers);
    const searchCosts = (tasks: readonly SearchTask[]) =>
      costsOf(bundles.searcher, [file, String(headBytes)], tasks);
    const samples: Samples = { firstKind: [], kind: [], cold: [], warm: [] };
    for (let round = 1; round <= rounds; round += 1) {
      const [first, again] = await searchCosts([{}, { isReopened: true }]);
      samples.firstKind.push(first as SearchCost);
      samples.kind.push(again as SearchCost);
      const [cold, , warm] = await searchCosts([
        ...[{ search: 'åsa' }, { search: 'a' }, { search: 'e' }],
      ]);
      samples.cold.push(cold as SearchCost);
      samples.warm.push(warm as SearchCost);
      progress(`snapshots, round ${round} of ${rounds}: ${cold?.cpuMs} ms, then ${warm?.cpuMs} ms`);
    }
    const calls = await measureFirstCalls(bundles, customers, rounds);
    return [
      ...comparisonsOf(samples, bytes / customers, customers),
      ...comparisonsOfCalls(calls, customers),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
};

interface Samples {
  /** Counts by kind, first of a process and then of another file: some of the first is compilation. */
  readonly firstKind: SearchCost[];
  readonly kind: SearchCost[];
  /** First searches. */
  readonly cold: SearchCost[];
  /** Searches for one letter, after others. */
  readonly warm: SearchCost[];
}

function comparisonsOf(
  { firstKind, kind, cold, warm }: Samples,
  bytesPerCustomer: number,
  customers: number,
): Comparison[] {
  const of = comparisonWith(customers);
  const cpu = (costs: readonly SearchCost[]) => costs.map(({ cpuMs }) => cpuMs);
  const read = kind.map(({ bytesRead }) => bytesRead / 1_000);
  const memory = warm.map(({ maxRss }) => maxRss / MEGABYTE);
  return [
    of('size of the file', 'bytes a customer', LIMITS.bytesPerCustomer, [bytesPerCustomer], {
      isPerCustomer: true,
    }),
    of('count by kind', 'kB read', LIMITS.countReadBytes / 1_000, read),
    of('first count by kind', 'ms of CPU time', LIMITS.countMs, cpu(firstKind), {
      hasTarget: false,
    }),
    of('count by kind', 'ms of CPU time', LIMITS.countMs, cpu(kind)),
    of('first search', 'ms of CPU time', LIMITS.coldSearchMs, cpu(cold)),
    of('search for a letter', 'ms of CPU time', LIMITS.warmSearchMs, cpu(warm)),
    of('memory of searches', 'MB', LIMITS.memoryMb, memory, { isPerCustomer: true }),
  ];
}

/** Returns a function that compares with a limit, which is that of a million customers. */
function comparisonWith(customers: number) {
  return (
    name: string,
    unit: string,
    limit: number,
    ours: readonly number[],
    { isPerCustomer = false, hasTarget = true } = {},
  ): Comparison => {
    const scaled = isPerCustomer ? limit : (limit * customers) / MEGABYTE;
    return compare({
      measure: 'snapshots',
      name: `${name}, ${customers.toLocaleString('en')} customers`,
      against: `limit of ${scaled.toLocaleString('en', { maximumFractionDigits: 1 })} ${unit}`,
      unit,
      ours: statsOf(ours),
      theirs: statsOf([scaled]),
      ratioOf: 'ours / theirs',
      ...(hasTarget && { target: { atMost: 1 } }),
    });
  };
}

/** A function's first call, and what it took of the table. */
interface FirstCall extends ColdStart, Consumption {}

/** Calls the deployed function that counts in new processes: a search for what few customers have. */
async function measureFirstCalls(
  bundles: Bench['bundles'],
  customers: number,
  rounds: number,
): Promise<FirstCall[]> {
  const merchant = 'large';
  const dynamodb = await startDynamoDb({ port: 0 });
  const s3 = await startS3({ port: 0, bucket: 'customer-exports' });
  const proxy = await startCountingProxy(dynamodb.endpoint);
  const environment = {
    ...environmentOf({ dynamodb: proxy.endpoint, s3: s3.endpoint }),
    [ENVIRONMENT.snapshotFromId]: String(SNAPSHOT_FROM_ID),
  };
  try {
    Object.assign(process.env, environment);
    await ensureTable(dynamodb.endpoint, TABLE);
    progress(`snapshots: a merchant with ${customers.toLocaleString('en')} customers`);
    const servers = { dynamodbEndpoint: dynamodb.endpoint, s3Endpoint: s3.endpoint };
    const stack = { ...servers, ownsDatabase: true, bucket: 'customer-exports', table: TABLE };
    await createLargeMerchant(stack, merchant, customers);
    const module = await bundles.ours('count-customers');
    const query = `filter=search&search=${encodeURIComponent('åsa')}`;
    const event = eventOf('count-customers', { merchant, query });
    const calls: FirstCall[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      proxy.take();
      const started = await coldStart({ caller: bundles.caller, module, environment }, event);
      if (started.response.statusCode !== 200) throw new Error(started.response.body);
      const call = { ...started, ...proxy.take() };
      progress(
        `snapshots, first call ${round} of ${rounds}: ${Math.round(call.cpuMs)} ms, ${call.units} units, ${call.inSequence} round trips`,
      );
      calls.push(call);
    }
    return calls;
  } finally {
    await Promise.all([proxy.close(), s3.close(), dynamodb.close()]);
  }
}

function comparisonsOfCalls(calls: readonly FirstCall[], customers: number): Comparison[] {
  const of = comparisonWith(customers);
  const isPerCustomer = true;
  return [
    of(
      'first call of a function, a search',
      'ms of CPU time',
      LIMITS.coldSearchMs,
      calls.map(({ cpuMs }) => cpuMs),
      // A part of it, the loading of the bundle, does not depend on the customers.
      { hasTarget: customers === MEGABYTE },
    ),
    of(
      'first call of a function, a search',
      'read units',
      LIMITS.coldSearchUnits,
      calls.map(({ units }) => units),
      { isPerCustomer },
    ),
    of(
      'memory of that call',
      'MB',
      LIMITS.memoryMb,
      calls.map(({ maxRss }) => maxRss / MEGABYTE),
      { isPerCustomer },
    ),
  ];
}

/** Runs counts one after the other in a new process. */
async function costsOf(
  searcher: string,
  args: readonly string[],
  tasks: readonly SearchTask[],
): Promise<SearchCost[]> {
  const child = fork(searcher, args, { execArgv: [] });
  try {
    await once(child, 'message');
    const costs: SearchCost[] = [];
    for (const task of tasks) {
      child.send(task);
      costs.push((await once(child, 'message'))[0]);
    }
    return costs;
  } finally {
    child.kill();
  }
}

function writeSnapshot(file: string, customers: number): { bytes: number; headBytes: number } {
  const writer = new SnapshotWriter();
  const varied = Array.from({ length: Math.min(customers, VARIED) }, (_, index) => entry(index));
  for (let first = 0; first < customers; first += VARIED) {
    const ids = Array.from({ length: Math.min(VARIED, customers - first) }, (_, at) => first + at);
    writer.add(ids.map((id) => ({ ...(varied[id % VARIED] as IndexEntry), ...created(id) })));
  }
  const { chunks, bytes, headBytes } = writer.finish();
  const fd = openSync(file, 'w');
  for (const chunk of chunks) writeSync(fd, chunk);
  closeSync(fd);
  return { bytes, headBytes };

  /** Created over ten years; of a hundred customers two are deleted. */
  function created(index: number) {
    const gapMs = TEN_YEARS_MS / customers;
    const createdAt = Math.round(index * gapMs + gapMs * noise(index));
    return { id: index + 1 + 2 * Math.floor(index / 98), createdAt };
  }
}

/** An entry with realistic texts. The digits of its number are random: those of samples are of few ranges. */
function entry(index: number): IndexEntry {
  const attributes = toSearchAttributes({ date: new Date(0).toISOString() }, variedCustomer(index));
  const { companyText } = attributes;
  const digits = companyText?.replace(/\d/g, (_, place: number) =>
    String(Math.floor(10 * noise(16 * index + place))),
  );
  return { ...attributes, companyText: digits, id: index + 1 };
}

/** Returns a number from 0 up to 1, always the same (the finalizer of MurmurHash3). */
function noise(index: number): number {
  let mixed = Math.imul(index + 1, 0x9e37_79b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
