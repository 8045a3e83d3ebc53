import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LogPosition } from '../../shared/domain/changes.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { iterations } from '../support/iterations.ts';
import { type Random, randomOf, SEED } from '../support/random.ts';
import { Simulation } from '../support/simulation.ts';

// Runs the code of the change log in many histories, against a simulation of DynamoDB, its stream and
// Lambda that is harsher than AWS: writes that land minutes late, functions that stop anywhere and go
// on later beside their successors, batches that are repeated, replicas that are a minute behind.

let simulation: Simulation;
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
vi.stubEnv(ENVIRONMENT.changesDays, '90');

type Recorder = typeof import('../../functions/record-changes/handler.ts');
type Log = typeof import('../../shared/storage/change-log.ts');
type Feed = typeof import('../../shared/storage/list-changes.ts');

/** Execution environments of the recorder, each with what its modules remember. */
const environments: Recorder[] = [];
let log: Log;
let feed: Feed;
let errors: typeof import('../../shared/domain/errors.ts');

beforeAll(async () => {
  for (let count = 0; count < 3; count += 1) {
    vi.resetModules();
    environments.push(await import('../../functions/record-changes/handler.ts'));
  }
  log = await import('../../shared/storage/change-log.ts');
  feed = await import('../../shared/storage/list-changes.ts');
  errors = await import('../../shared/domain/errors.ts');
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** What is wrong on purpose. */
type Flaw =
  | 'customers are read from a replica'
  | 'a first load starts at the end of the log'
  | 'an entry overwrites another'
  | 'a batch is done before it is appended';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** How far a replica or an index is behind, at most. */
const MAX_LAG = MINUTE;
/** When Lambda gives an invocation up and starts another. */
const TIMEOUT = MINUTE;

/** A system that keeps a copy. */
interface Copy {
  readonly customers: Map<number, unknown>;
  position: LogPosition;
  /** Whether its token expired, which no token does within days. */
  hasExpired: boolean;
}

let histories = 0;

/** Runs a history, and returns which customers are wrong in the copies at its end. */
async function wrongCustomers(random: Random, flaw?: Flaw): Promise<string[]> {
  histories += 1;
  const merchantId = `m${histories}`;
  const pk = `MERCHANT#${merchantId}`;
  const keyOf = (id: number) => `${pk}|CUSTOMER#${String(id).padStart(16, '0')}`;
  simulation = new Simulation(random, {
    delayMs: (random) => (random.chance(0.02) ? random.below(90 * SECOND) : random.below(40)),
    lagMs: (random) => (random.chance(0.3) ? random.below(MAX_LAG) : random.below(SECOND)),
  });
  vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(simulation.now));
  vi.spyOn(Math, 'random').mockImplementation(random.next);
  simulation.ignoresConditions = flaw === 'an entry overwrites another';
  const shards: object[][] = [[], []];
  let sequence = 0;
  simulation.onWrite = (key, existing, item) => {
    const [, sk = ''] = key.split('|');
    if (!sk.startsWith('CUSTOMER#')) return;
    sequence += 1;
    const eventName = !existing ? 'INSERT' : item ? 'MODIFY' : 'REMOVE';
    // A partition that has been split has a shard for each part.
    shards[Number(sk.at(-1)) % 2]?.push({
      eventName,
      dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: String(sequence) },
    });
  };

  const writing = Array.from({ length: 3 }, () => write());
  let hasEnded = false;
  const reading = shards.map(recordShard);
  const copying = [0, 1].map(() => copy());
  const done = (async () => {
    await Promise.all(writing);
    hasEnded = true;
    await Promise.all(reading);
    return Promise.all(copying);
  })();
  await simulation.run();
  const copies = await done;
  return copies.flatMap(({ customers, hasExpired }) =>
    hasExpired ? ['the token of a copy has expired'] : differences(customers),
  );

  /** A merchant's system that creates, updates and deletes customers; some writes land late. */
  async function write(): Promise<void> {
    await simulation.sleep(random.below(10 * MINUTE));
    for (let count = 0; count < 4; count += 1) {
      await simulation.sleep(random.below(random.chance(0.2) ? 8 * MINUTE : 200));
      if (random.chance(0.05)) await simulation.sleep(random.below(5 * MINUTE));
      const key = keyOf(1 + random.below(6));
      const isDeletion = random.chance(0.3) && simulation.read(key) !== undefined;
      simulation.write(key, isDeletion ? undefined : { value: random.next() });
    }
  }

  /** Lambda's event source mapping: invokes the recorder with a shard's records until they are done. */
  async function recordShard(records: readonly object[]): Promise<void> {
    let next = 0;
    while (!hasEnded || next < records.length) {
      const batch = records.slice(next, next + 1 + random.below(4));
      if (batch.length === 0) {
        await simulation.sleep(100 + random.below(300));
        continue;
      }
      if (flaw === 'a batch is done before it is appended' && random.chance(0.1)) {
        next += batch.length;
        continue;
      }
      const { handler } = random.pick(environments);
      // A function that is given up goes on beside its successor.
      const result = await Promise.race([
        handler({ Records: batch } as never),
        simulation.sleep(TIMEOUT),
      ]);
      if (result?.batchItemFailures.length === 0 && !random.chance(0.05)) next += batch.length;
    }
  }

  /** Loads all customers, and follows their changes until the end. */
  async function copy(): Promise<Copy> {
    await simulation.sleep(random.below(15 * MINUTE));
    const head =
      flaw === 'a first load starts at the end of the log' &&
      (await log.readHead(merchantId, true));
    const position = head
      ? { entry: head.nextChange, index: 0, sinceMs: simulation.now }
      : await log.positionBeforeLoad(merchantId);
    const copy: Copy = { customers: new Map(), position, hasExpired: false };
    for (let id = 1; id <= 6; id += 1) {
      const item = simulation.read(keyOf(id), false);
      if (item) copy.customers.set(id, item.value);
      await simulation.sleep(random.below(SECOND));
    }
    while (!(await Promise.race([ended(), simulation.sleep(0).then(() => false)]))) {
      await simulation.sleep(random.below(random.chance(0.2) ? 5 * MINUTE : 2 * SECOND));
      await follow(copy);
    }
    while (await follow(copy));
    return copy;
  }

  async function ended(): Promise<boolean> {
    await Promise.all([...writing, ...reading]);
    return true;
  }

  /** Applies a page of changes. Returns whether more follow. */
  async function follow(copy: Copy): Promise<boolean> {
    const limit = 1 + random.below(5);
    const page = await feed
      .listChanges(merchantId, copy.position, limit, undefined)
      .catch((error) => {
        if (!(error instanceof errors.ChangesExpiredError)) throw error;
        copy.hasExpired = true;
      });
    if (!page) return false;
    for (const { id } of page.changes) {
      const isConsistent = flaw !== 'customers are read from a replica';
      const item = simulation.read(keyOf(id), isConsistent);
      await simulation.sleep(random.below(20));
      if (item) copy.customers.set(id, item.value);
      else copy.customers.delete(id);
    }
    copy.position = page.next;
    return page.more;
  }

  function differences(customers: ReadonlyMap<number, unknown>): string[] {
    return [1, 2, 3, 4, 5, 6].flatMap((id) => {
      const actual = simulation.read(keyOf(id))?.value;
      return customers.get(id) === actual
        ? []
        : [`customer ${id} is ${customers.get(id)} in a copy, and ${actual} in the register`];
    });
  }
}

describe('Histories of the change log', () => {
  const count = iterations({ short: 30, long: 1_500 });

  test(`Each copy equals the register at the end of ${count} histories (SEED=${SEED})`, {
    timeout: 900_000,
  }, async () => {
    for (let history = 0; history < count; history += 1) {
      const seed = SEED * 1_000_000 + history;
      expect({ seed, wrong: await wrongCustomers(randomOf(seed)) }).toEqual({ seed, wrong: [] });
    }
  });

  test.each<Flaw>([
    'customers are read from a replica',
    'a first load starts at the end of the log',
    'an entry overwrites another',
    'a batch is done before it is appended',
  ])('If %s, some copy is wrong', async (flaw) => {
    for (let history = 0; history < 300; history += 1) {
      const wrong = await wrongCustomers(randomOf(SEED * 1_000_000 + history), flaw);
      if (wrong.length > 0) return;
    }
    expect.fail('No copy was wrong.');
  });
});
