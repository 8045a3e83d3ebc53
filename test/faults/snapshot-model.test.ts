import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { EVERYONE } from '../../shared/domain/customer-filter.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { ENTRY_PROJECTION } from '../../shared/storage/snapshots/index-entries.ts';
import { HEARTBEAT_KEY, RECORDER_KEY } from '../../shared/storage/table.ts';
import { iterations } from '../support/iterations.ts';
import { type Random, randomOf, SEED } from '../support/random.ts';
import { Simulation } from '../support/simulation.ts';

// Runs the code of snapshots and of the change log in many histories, against a simulation of DynamoDB,
// its stream and index, S3 and Lambda that is harsher than AWS: indexes and replicas that are a minute
// behind, writes that land minutes late, recorders that stand still for a quarter of an hour, builds
// that stop anywhere, files that cannot be read. In half of the histories a day is some minutes: snapshots
// expire and their files are deleted, heartbeats end and begin again, and the stream drops old records.

let simulation: Simulation;
let marginMs = 0;
let masksDeletions = true;
let startsBuild: (merchantId: string) => void = () => {};
/** Files, and when they are deleted. */
const files = new Map<string, { readonly bytes: Uint8Array; readonly until: number }>();
let random: Random;
let lifetimeMs = 0;
/** When heartbeats end. */
let heartbeatsUntil = 0;

vi.mock('../../shared/storage/dynamodb.ts', () => ({
  TABLE_NAME: 'simulated',
  dynamodb: { send: (command: never) => simulation.send(command) },
}));
vi.mock('../../shared/storage/document-client.ts', () => ({
  documents: { send: (command: never) => simulation.send(command) },
}));
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<typeof import('node:timers/promises')>()),
  setTimeout: (ms: number) => simulation.sleep(ms),
}));
vi.mock('../../shared/storage/change-log.ts', async (original) => ({
  ...(await original<typeof import('../../shared/storage/change-log.ts')>()),
  get FIRST_LOAD_MARGIN_MS() {
    return marginMs;
  },
}));
vi.mock('../../shared/storage/snapshots/snapshot-lifetime.ts', () => ({
  get SNAPSHOT_LIFETIME_MS() {
    return lifetimeMs;
  },
  get RENEWAL_MS() {
    return lifetimeMs - MINUTE;
  },
}));
vi.mock('../../shared/storage/snapshots/schedules.ts', () => ({
  keepHeartbeats: async () => {
    await simulation.sleep(random.below(SECOND));
    if (random.chance(0.05)) throw new Error('The scheduler is not well.');
    heartbeatsUntil = Math.max(heartbeatsUntil, simulation.now + lifetimeMs);
    await simulation.sleep(random.below(SECOND));
  },
}));
vi.mock('../../shared/storage/snapshots/start-build.ts', () => ({
  startBuild: async (merchantId: string) => startsBuild(merchantId),
}));
vi.mock('../../shared/storage/snapshots/snapshot-files.ts', () => ({
  snapshotReader: ({ key }: { key: string }) => ({
    read: async (from: number, to: number) => {
      await simulation.sleep(random.below(200));
      if (random.chance(0.01)) throw new Error('S3 is not well.');
      const { bytes, until } = files.get(key) as { bytes: Uint8Array; until: number };
      if (simulation.now >= until) throw new Error('There is no such file.');
      return bytes.subarray(from, to);
    },
  }),
}));
vi.mock('../../shared/storage/snapshots/write-snapshot-file.ts', () => ({
  writeSnapshotFile: async (
    _: string,
    { chunks }: { chunks: readonly Uint8Array[] },
    builtMs: number,
  ) => {
    await simulation.sleep(random.below(random.chance(0.2) ? 3 * MINUTE : 500));
    // A function that stops does nothing more.
    if (random.chance(0.05)) await new Promise(() => {});
    const key = String(files.size);
    // Sooner than it is, so that searches that have begun find no file.
    const until = builtMs + lifetimeMs - random.below(2 * MINUTE);
    files.set(key, { bytes: Buffer.concat(chunks), until });
    await simulation.sleep(random.below(random.chance(0.2) ? 3 * MINUTE : 500));
    return key;
  },
}));
vi.mock('../../shared/storage/snapshots/merged-frame.ts', async (original) => {
  const { MergedFrame } =
    await original<typeof import('../../shared/storage/snapshots/merged-frame.ts')>();
  type Parameters = ConstructorParameters<typeof MergedFrame>;
  return {
    MergedFrame: class extends MergedFrame {
      constructor(
        frame: Parameters[0],
        changed: Parameters[1] = [],
        filter: Parameters[2] = EVERYONE,
      ) {
        super(frame, masksDeletions ? changed : changed.filter(({ entry }) => entry), filter);
      }
    },
  };
});
vi.stubEnv(ENVIRONMENT.changesDays, '90');
vi.stubEnv(ENVIRONMENT.snapshotFromId, '0');

type Recorder = typeof import('../../functions/record-changes/handler.ts');
type Searcher = typeof import('../../shared/storage/customer-index.ts');
type Builder = typeof import('../../shared/storage/snapshots/build-snapshot.ts');

/** Execution environments, each with what its modules remember. */
const recorders: Recorder[] = [];
const searchers: Searcher[] = [];
let builder: Builder;

beforeAll(async () => {
  for (let count = 0; count < 3; count += 1) {
    vi.resetModules();
    recorders.push(await import('../../functions/record-changes/handler.ts'));
    searchers.push(await import('../../shared/storage/customer-index.ts'));
    // Loaded now, as loading takes no time of the simulation.
    await import('../../shared/storage/snapshots/search-snapshot.ts');
    await import('../../shared/storage/snapshots/snapshot-files.ts');
    await import('../../shared/storage/snapshots/start-build.ts');
  }
  builder = await import('../../shared/storage/snapshots/build-snapshot.ts');
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** What is wrong on purpose. */
type Flaw =
  | 'snapshots have no margin'
  | 'searches do not notice that the log is late'
  | 'the index is behind for longer than the margin'
  | 'deletions are not taken out of snapshots'
  | 'customers that changed are read from a replica'
  | 'snapshots are used for longer than the stream has records';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** How far a replica or the index is behind, at most. */
const MAX_LAG = MINUTE;
/** When Lambda gives an invocation up and starts another. */
const TIMEOUT = MINUTE;
/** How long a change may be unseen: three minutes, of a state that is read each ten seconds, and the lag. */
const MAX_AGE = 3 * MINUTE + 10 * SECOND + MAX_LAG + TIMEOUT;
/** How long a customer who was stored soon after its id was given may be unseen: as in the index. */
const MAX_AGE_OF_NEW = MAX_LAG + 5 * SECOND;
const SOON = 2 * MINUTE;
const DURATION = 45 * MINUTE;
/** A day in half of the histories: how long snapshots are used, and how long the stream has records. */
const SHORT_LIFETIME = 12 * MINUTE;
const SHORT_RETENTION = 14 * MINUTE;
/** When nobody searches, in those: longer than snapshots are used. */
const QUIET_START = 18 * MINUTE;
const QUIET = 15 * MINUTE;
/** An outage of the recorders that ends before searches notice it, and how often it comes. */
const UNNOTICED = 2.5 * MINUTE;
const REPEATED = 6 * MINUTE;
const COMPANIES = { ...EVERYONE, condition: { attribute: 'kind', equals: 'company' } } as const;

let histories = 0;
/** Snapshots that were built, in all histories. */
let built = 0;
/** Heartbeats that began after there had been none for some time. */
let resumed = 0;

/** Runs a history, and returns what searches found wrongly; of a flaw, until the first one. */
async function wrongResults(seed: number, flaw?: Flaw): Promise<string[]> {
  histories += 1;
  random = randomOf(seed);
  const merchantId = `m${histories}`;
  const pk = `MERCHANT#${merchantId}`;
  const skOf = (id: number) => `CUSTOMER#${String(id).padStart(16, '0')}`;
  const keyOf = (id: number) => `${pk}|${skOf(id)}`;
  const isSlow = random.chance(0.5);
  simulation = new Simulation(random, {
    delayMs: (random) => (random.chance(0.01) ? random.below(30 * SECOND) : random.below(20)),
    lagMs: (random, projection) => {
      const isBuild = projection === ENTRY_PROJECTION.ProjectionExpression;
      const isLate = isBuild && flaw === 'the index is behind for longer than the margin';
      const maxLag = isLate ? 15 * MINUTE : MAX_LAG;
      return random.chance(isSlow ? 0.5 : 0.1) ? random.below(maxLag) : random.below(SECOND);
    },
  });
  const isUsedLong = flaw === 'snapshots are used for longer than the stream has records';
  const isShort = flaw === undefined ? random.chance(0.5) : isUsedLong;
  lifetimeMs = isShort && !isUsedLong ? SHORT_LIFETIME : 23 * 60 * MINUTE;
  const retentionMs = isShort ? SHORT_RETENTION : 24 * 60 * MINUTE;
  heartbeatsUntil = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(simulation.now));
  vi.spyOn(Math, 'random').mockImplementation(random.next);
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  simulation.pageSize = 5;
  simulation.readsReplicas = flaw === 'customers that changed are read from a replica';
  marginMs = flaw === 'snapshots have no margin' ? 0 : 5 * MINUTE;
  masksDeletions = flaw !== 'deletions are not taken out of snapshots';
  startsBuild = (merchant) => {
    if (hasEnded) return;
    builder.buildSnapshot(merchant, 0).then(
      ({ pointer }) => {
        if (pointer) built += 1;
      },
      () => {},
    );
  };

  const start = simulation.now;
  // Recorders stand still once for long, or time and again for as long as nobody notices.
  const outage = isUsedLong ? 'long' : random.pick(['none', 'long', 'short'] as const);
  const outageMs = isShort ? SHORT_RETENTION + 5 * MINUTE : 15 * MINUTE;
  const outageStart = start + random.below(DURATION - outageMs - 5 * MINUTE);
  /** Returns when recorders go on, if they stand still now. */
  const outageEnd = (): number | undefined => {
    const since = simulation.now - outageStart;
    if (outage === 'none' || since < 0) return undefined;
    if (outage === 'long') return since < outageMs ? outageStart + outageMs : undefined;
    const phase = since % REPEATED;
    return phase < UNNOTICED ? simulation.now + UNNOTICED - phase : undefined;
  };
  /** Waits until the quiet time ends, if it is now and there is one. */
  const quiet = async () => {
    const since = simulation.now - start - QUIET_START;
    if (isShort && outage === 'none' && since >= 0 && since < QUIET) {
      await simulation.sleep(QUIET - since);
    }
  };
  const shards: { readonly at: number; readonly record: object }[][] = [[], []];
  let sequence = 0;
  simulation.onWrite = (key, existing, item) => {
    const [partition = '', sk = ''] = key.split('|');
    const isHeartbeat = partition === HEARTBEAT_KEY.pk && sk === HEARTBEAT_KEY.sk;
    if (!sk.startsWith('CUSTOMER#') && !isHeartbeat) return;
    sequence += 1;
    const eventName = !existing ? 'INSERT' : item ? 'MODIFY' : 'REMOVE';
    // A partition that has been split has a shard for each part.
    shards[isHeartbeat ? 0 : Number(sk.at(-1)) % 2]?.push({
      at: simulation.now,
      record: {
        eventName,
        dynamodb: {
          Keys: { pk: { S: partition }, sk: { S: sk } },
          SequenceNumber: String(sequence),
          ApproximateCreationDateTime: Math.floor(simulation.now / SECOND),
        },
      },
    });
  };

  /** When the ids of customers were given. */
  const given = new Map<number, number>();
  let lastId = 0;
  const wrong: string[] = [];
  let hasEnded = false;
  const put = (id: number) =>
    simulation.write(keyOf(id), {
      pk,
      sk: skOf(id),
      d: id,
      t: given.get(id),
      k: random.pick(['c', 'p']),
    });
  for (let count = 0; count < 12; count += 1) {
    lastId += 1;
    given.set(lastId, simulation.now - MINUTE);
    put(lastId);
  }

  const working = [beat(), build(), write(), write(), search(0), search(1), search(2)];
  const recording = shards.map(recordShard);
  const done = Promise.all(working).then(() => {
    hasEnded = true;
    return Promise.all(recording);
  });
  const isEnough = () => flaw !== undefined && wrong.length > 0;
  await simulation.run(isEnough);
  if (!isEnough()) await done;
  return wrong;

  /** The schedule of heartbeats. */
  async function beat(): Promise<void> {
    let wasOff = false;
    while (simulation.now < start + DURATION) {
      // Somebody deletes the schedule.
      if (random.chance(0.02)) heartbeatsUntil = 0;
      const isOff = simulation.now >= heartbeatsUntil;
      if (wasOff && !isOff) resumed += 1;
      wasOff = isOff;
      const isUnnoticed = flaw === 'searches do not notice that the log is late';
      if (isUnnoticed) {
        simulation.write(`${RECORDER_KEY.pk}|${RECORDER_KEY.sk}`, {
          ...RECORDER_KEY,
          heartbeatMs: simulation.now,
        });
      }
      if (!isOff) {
        simulation.write(`${HEARTBEAT_KEY.pk}|${HEARTBEAT_KEY.sk}`, {
          ...HEARTBEAT_KEY,
          scheduled: simulation.now,
        });
      }
      // A new schedule begins at once.
      await simulation.sleep(isOff ? 10 * SECOND : MINUTE);
    }
  }

  /** Builds that are started besides those that searches start: here the tail seldom gets long. */
  async function build(): Promise<void> {
    while (simulation.now < start + DURATION) {
      const since = simulation.now - outageStart;
      const isInOutage = outage === 'short' && random.chance(0.5);
      const untilOutage = since < 0 ? -since : REPEATED - (since % REPEATED);
      await simulation.sleep(
        isInOutage ? untilOutage + random.below(UNNOTICED) : random.below(10 * MINUTE),
      );
      await quiet();
      // Without the one before, the next snapshot is read from the index.
      if (random.chance(isUsedLong ? 0.1 : 0.5)) simulation.write(`${pk}|SNAPSHOT`, undefined);
      startsBuild(merchantId);
    }
  }

  /** A merchant's system that creates, changes and deletes customers; some writes land late. */
  async function write(): Promise<void> {
    while (simulation.now < start + DURATION) {
      await simulation.sleep(random.below(random.chance(0.3) ? 5 * MINUTE : 20 * SECOND));
      const isCreation = random.chance(outage === 'short' ? 0.6 : 0.25);
      if (isCreation) {
        lastId += 1;
        const id = lastId;
        given.set(id, simulation.now);
        if (random.chance(0.15)) await simulation.sleep(random.below(8 * MINUTE));
        put(id);
        continue;
      }
      const id = 1 + random.below(lastId);
      if (random.chance(0.05)) await simulation.sleep(random.below(5 * MINUTE));
      if (!simulation.read(keyOf(id))) continue;
      if (random.chance(0.2)) simulation.write(keyOf(id), undefined);
      else put(id);
    }
  }

  /** Lambda's event source mapping: invokes the recorder with a shard's records until they are done. */
  async function recordShard(
    records: readonly { readonly at: number; readonly record: object }[],
  ): Promise<void> {
    let next = 0;
    while (!hasEnded || next < records.length) {
      const end = hasEnded ? undefined : outageEnd();
      if (end !== undefined) {
        await simulation.sleep(end - simulation.now);
        continue;
      }
      // The stream has dropped them.
      while ((records[next]?.at ?? Number.POSITIVE_INFINITY) < simulation.now - retentionMs) {
        next += 1;
      }
      const batch = records.slice(next, next + 1 + random.below(10)).map(({ record }) => record);
      if (batch.length === 0) {
        await simulation.sleep(200 + random.below(300));
        continue;
      }
      const { handler } = random.pick(recorders);
      // A function that is given up goes on beside its successor.
      const result = await Promise.race([
        handler({ Records: batch } as never),
        simulation.sleep(TIMEOUT),
      ]);
      if (result?.batchItemFailures.length === 0 && !random.chance(0.02)) next += batch.length;
    }
  }

  /** Searches and counts in one execution environment, time and again. */
  async function search(environment: number): Promise<void> {
    const searcher = searchers[environment] as Searcher;
    while (simulation.now < start + DURATION) {
      await simulation.sleep(random.below(random.chance(0.2) ? 4 * MINUTE : 30 * SECOND));
      await quiet();
      const before = simulation.now;
      const found = new Set<number>();
      const isDescending = random.chance(0.3);
      const pages = isDescending
        ? searcher.matchingIdsDescending(merchantId, COMPANIES, { wanted: 100 })
        : searcher.matchingIds(merchantId, COMPANIES);
      for await (const ids of pages) {
        for (const id of ids) {
          if (found.has(id)) wrong.push(`customer ${id} is found twice`);
          found.add(id);
        }
      }
      for (let id = 1; id <= lastId; id += 1) check(id, found.has(id), before);
      if (random.chance(0.3)) {
        const count = await searcher.countInIndex(merchantId, COMPANIES);
        const [low, high] = bounds(before);
        if (count < low || count > high) wrong.push(`${count} are counted, not ${low} to ${high}`);
      }
    }
  }

  /** Checks whether a customer was as it was found, at a time that is recent enough. */
  function check(id: number, isFound: boolean, before: number): void {
    const states = statesSince(id, before);
    if (states.has(isFound)) return;
    wrong.push(
      `customer ${id} is ${isFound ? '' : 'not '}found at ${(simulation.now - start) / SECOND} s: ${JSON.stringify(simulation.versions(keyOf(id)).map(({ at, item }) => [(at - start) / SECOND, item?.k]))}`,
    );
  }

  /** Returns how many customers may be counted, at least and at most. */
  function bounds(before: number): [number, number] {
    let [low, high] = [0, 0];
    for (let id = 1; id <= lastId; id += 1) {
      const states = statesSince(id, before);
      if (!states.has(false)) low += 1;
      if (states.has(true)) high += 1;
    }
    return [low, high];
  }

  /** Returns whether a customer was a company, at all times at which it may be seen. */
  function statesSince(id: number, before: number): Set<boolean> {
    const versions = simulation.versions(keyOf(id));
    const [first] = versions;
    const isOnlyNew =
      versions.length === 1 && first !== undefined && first.at - (given.get(id) ?? 0) < SOON;
    const since = before - (isOnlyNew ? MAX_AGE_OF_NEW : MAX_AGE);
    const states = new Set<boolean>();
    let isCompany = false;
    for (const { at, item } of versions) {
      if (at > since) states.add(isCompany);
      isCompany = item?.k === 'c';
    }
    return states.add(isCompany);
  }
}

describe('Histories of snapshots', () => {
  const count = iterations({ short: 6, long: 500 });

  test(`Each search finds customers as they were lately in ${count} histories (SEED=${SEED})`, {
    timeout: 900_000,
  }, async () => {
    for (let history = 0; history < count; history += 1) {
      const seed = SEED * 1_000_000 + history;
      expect({ seed, wrong: await wrongResults(seed) }).toEqual({ seed, wrong: [] });
    }
    // Otherwise the searches would be those of the index.
    expect(built).toBeGreaterThan(2 * count);
    expect(resumed).toBeGreaterThan(count / 2);
  });

  // The short form begins with a history that shows the flaw soon.
  test.each<readonly [Flaw, number]>([
    ['snapshots have no margin', 54],
    ['searches do not notice that the log is late', 71],
    ['the index is behind for longer than the margin', 198],
    ['deletions are not taken out of snapshots', 1],
    ['customers that changed are read from a replica', 21],
    ['snapshots are used for longer than the stream has records', 46],
  ])('If %s, some search is wrong', { timeout: 300_000 }, async (flaw, short) => {
    const first = iterations({ short, long: 0 });
    for (let history = first; history < first + 200; history += 1) {
      const wrong = await wrongResults(SEED * 1_000_000 + history, flaw);
      if (wrong.length > 0) return;
    }
    expect.fail('No search was wrong.');
  });
});
