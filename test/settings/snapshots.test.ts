import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { seedCustomers } from '../../infra/local/seed-customers.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  changeLogHeadKey,
  HEARTBEAT_KEY,
  RECORDER_KEY,
  rawCustomerKey,
} from '../../shared/storage/table.ts';
import { type Client, clientOf, eventually, isLocal, localStack, useApi } from '../support/api.ts';
import { filterQueries, KNOWN_CUSTOMERS, type KnownCustomer } from '../support/arbitraries.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import { readJsonLines } from '../support/export-files.ts';
import {
  dynamodbError,
  every,
  type Fault,
  type Faults,
  first,
  type Passing,
  s3Error,
  useFaultProxy,
  useProxyOf,
} from '../support/fault-proxy.ts';
import { type DatedCustomer, selects } from '../support/filter-meanings.ts';
import { iterations } from '../support/iterations.ts';
import { logged, quiet } from '../support/logs.ts';
import { longAgo, objectKeys, readObject, Snapshots, writeObject } from '../support/snapshots.ts';
import { withoutTimeouts } from '../support/time-outs.ts';

// Small merchants have no snapshot. Here all have one, and each search begins with it.

const TIMEOUT = 600_000;

process.env[ENVIRONMENT.snapshotFromId] = '0';
useApi();

describe.runIf(isLocal)('Searches that read a snapshot', () => {
  /** Requests for snapshots, and queries of the customer index. */
  let requests: Passing[] = [];
  const watch = (passing: Passing) => {
    if (!/^GET \S*snapshots|"customerIndex"/.test(`${passing.operation} ${passing.body}`)) return;
    // On a machine under load the SDK times out and tries again.
    const isRetry = requests.some(({ invocation }) => invocation === passing.invocation);
    if (!isRetry) requests.push(passing);
  };
  const s3 = useProxyOf('s3', watch);
  const dynamodb = useProxyOf('dynamodb', watch);
  const scheduler = useFaultProxy(
    () => process.env.AWS_ENDPOINT_URL_SCHEDULER as string,
    (endpoint) => {
      process.env.AWS_ENDPOINT_URL_SCHEDULER = endpoint;
    },
  );
  let snapshots: Snapshots;
  beforeAll(() => {
    quiet();
    snapshots = new Snapshots(localStack());
  });

  /** Returns a client of the API for a merchant. */
  const clientFor = async (merchant: string) =>
    clientOf(localStack().url, await localStack().token({ merchant }));

  type Known = DatedCustomer & { readonly id: number };

  /** A merchant with a snapshot of known customers, and those that it has now. */
  async function merchantWithSnapshot() {
    const name = crypto.randomUUID();
    const client = await clientFor(name);
    const seeded = await snapshots.seed(
      name,
      KNOWN_CUSTOMERS.map(({ texts }) => texts),
    );
    const known = new Map<number, Known>();
    for (const [index, { system }] of seeded.entries()) {
      const { mexcParamvaluesetsid: id, date } = system;
      known.set(id, { ...(KNOWN_CUSTOMERS[index] as KnownCustomer), id, date });
    }
    return { name, client, known, changes: seeded.length };
  }

  /** Ends the schedule of heartbeats, as of three minutes ago; a build creates it again. */
  async function endHeartbeats(): Promise<void> {
    const schedule = {
      GroupName: process.env[ENVIRONMENT.scheduleGroup],
      ScheduleExpression: 'rate(1 minute)',
      EndDate: 1,
      Target: { Arn: 'arn:aws:scheduler:::aws-sdk:dynamodb:putItem', Input: '{}' },
    };
    const url = `${process.env.AWS_ENDPOINT_URL_SCHEDULER}/schedules/heartbeat`;
    const { status } = await fetch(url, { method: 'PUT', body: JSON.stringify(schedule) });
    // It is there once a snapshot was built.
    expect([200, 404]).toContain(status);
    const heartbeatMs = Date.now() - 200_000;
    await snapshots.change('', { heartbeatMs, lateMs: 0 }, RECORDER_KEY);
  }

  /** Creates a merchant with 20 customers, as if long ago. */
  async function merchantWithoutSnapshot(): Promise<string> {
    const name = crypto.randomUUID();
    await longAgo(async () => {
      await seedCustomers(localStack(), name, Array(20).fill({ name: 'A' }));
      await snapshots.recorded(name, 20);
    });
    return name;
  }

  /** Creates, changes or deletes a customer. */
  async function change(
    client: Client,
    known: Map<number, Known>,
    { kind, which, as }: { kind: string; which: number; as: number },
  ): Promise<number> {
    const meant = KNOWN_CUSTOMERS[as % KNOWN_CUSTOMERS.length] as KnownCustomer;
    const ids = [...known.keys()];
    const id = ids[which % ids.length];
    if (kind === 'create' || id === undefined) {
      const { body } = await client.call('POST', '/customers', { body: meant.texts });
      known.set(body.mexcParamvaluesetsid, {
        ...meant,
        id: body.mexcParamvaluesetsid,
        date: body.date,
      });
      return 1;
    }
    const path = `/customers/${id}`;
    if (kind === 'delete') {
      expect((await client.call('DELETE', path)).status).toBe(200);
      known.delete(id);
      return 1;
    }
    const cleared = Object.fromEntries(Object.keys(EXAMPLE_CUSTOMER).map((name) => [name, '']));
    for (const name of ['mexcParamvaluesetsid', 'date', 'mexcModulesid', 'mm3servicesid']) {
      delete cleared[name];
    }
    const before = await client.call('GET', path);
    const { status, headers } = await client.call('PATCH', path, {
      body: { ...cleared, ...meant.texts },
    });
    expect(status).toBe(200);
    known.set(id, { ...meant, id, date: known.get(id)?.date ?? '' });
    return headers.get('etag') === before.headers.get('etag') ? 0 : 1;
  }

  /** Counts customers, as if this were so much later. */
  async function countLater(client: Client, ms: number, count: number): Promise<void> {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
    const { body } = await client.call('GET', '/customers/count').finally(() => vi.useRealTimers());
    expect(body).toEqual({ count });
  }

  /**
   * Counts customers, and waits for what the count starts. On a busy machine the start can time out:
   * then it counts again a minute later, with a heartbeat of the same age.
   *
   * @returns how many milliseconds later the last count was, as functions have it.
   */
  async function countUntil(client: Client, count: number, hasHappened: () => Promise<void>) {
    for (let laterMs = 0; ; laterMs += 61_000) {
      await countLater(client, laterMs, count);
      try {
        await vi.waitFor(hasHappened, { timeout: 16_000, interval: 100 });
        return laterMs;
      } catch (error) {
        if (laterMs > 100_000) throw error;
        const { heartbeatMs = 0 } = await snapshots.item(RECORDER_KEY);
        await snapshots.change('', { heartbeatMs: Number(heartbeatMs) + 61_000 }, RECORDER_KEY);
      }
    }
  }

  async function idsOf(client: Client, query: string): Promise<number[]> {
    const { status, body } = await client.call('GET', `/customers?limit=1000&${query}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return body.map((customer: { mexcParamvaluesetsid: number }) => customer.mexcParamvaluesetsid);
  }

  async function exportedIds(client: Client, query: string): Promise<number[]> {
    const { status, body } = await client.call('GET', `/customers/export/jsonl?${query}`);
    expect(status).toBe(200);
    const file = await (await fetch(body.url)).text();
    return readJsonLines(file).map((row) => Number(row.mexcParamvaluesetsid));
  }

  test('Any filters find, count, page, sort and export the same as a reference implementation, while customers change', {
    timeout: TIMEOUT,
  }, async () => {
    const { name, client, known, changes } = await merchantWithSnapshot();
    let recorded = changes;
    const commands = fc.array(
      fc.record({
        kind: fc.constantFrom('create', 'patch', 'patch', 'delete'),
        which: fc.nat(),
        as: fc.nat(),
      }),
      { maxLength: 8 },
    );
    const readsBefore = requests.length;
    await fc.assert(
      fc.asyncProperty(
        commands,
        filterQueries,
        fc.nat({ max: 20 }),
        fc.boolean(),
        async (commands, { filters, parameters, query }, start, isBuilt) => {
          for (const command of commands) recorded += await change(client, known, command);
          await snapshots.recorded(name, recorded);
          if (isBuilt) await snapshots.build(name);
          const expected = [...known.values()]
            .filter((customer) => selects(filters, parameters, customer))
            .map(({ id }) => id)
            .sort((a, b) => a - b);
          const { body } = await client.call('GET', `/customers/count?${query}`);
          expect(body).toEqual({ count: expected.length });
          expect(await idsOf(client, query)).toEqual(expected);
          expect(await idsOf(client, `${query}&start=${start}`)).toEqual(
            expected.slice(start, start + 1000),
          );
          expect(await idsOf(client, `${query}&sort=-mexcParamvaluesetsid`)).toEqual(
            expected.toReversed(),
          );
          expect((await idsOf(client, `${query}&sort=name`)).sort((a, b) => a - b)).toEqual(
            expected,
          );
          expect(await exportedIds(client, query)).toEqual(expected);
        },
      ),
      { numRuns: iterations({ short: 8, long: 200 }) },
    );
    const reads = requests.slice(readsBefore);
    expect(reads.filter(({ operation }) => operation.startsWith('GET')).length).toBeGreaterThan(1);
  });

  describe('if a snapshot cannot be used', () => {
    const COMPANIES = 'filter=isCompany';
    /** A merchant of whose 30 customers every third is a company, one since the snapshot was built. */
    async function merchantWithCompanies() {
      const name = crypto.randomUUID();
      const client = await clientFor(name);
      const fields = Array.from({ length: 30 }, (_, index) => ({
        name: `N${index}`,
        customertypecode: index % 3 === 0 ? 'company' : 'private',
      }));
      await snapshots.seed(name, fields);
      const { status } = await client.call('PATCH', '/customers/2', {
        body: { customertypecode: 'company' },
      });
      expect(status).toBe(200);
      await snapshots.recorded(name, 31);
      return { name, client };
    }

    async function expectRightAnswers(client: Client): Promise<void> {
      const expected = [1, 2, 4, 7, 10, 13, 16, 19, 22, 25, 28];
      expect((await client.call('GET', `/customers/count?${COMPANIES}`)).body).toEqual({
        count: expected.length,
      });
      expect(await idsOf(client, COMPANIES)).toEqual(expected);
      expect(await idsOf(client, `${COMPANIES}&sort=-date`)).toEqual(expected.toReversed());
      expect(await exportedIds(client, `${COMPANIES}&search=n&filter=search`)).toEqual(expected);
    }

    const readsOfIndex = () => requests.filter(({ body }) => body.includes('customerIndex')).length;
    const readsOfFiles = () =>
      requests.filter(({ operation }) => operation.includes('snapshots/')).length;

    test('Without a failure the snapshot is read, and of the index what is newer', async () => {
      const { client } = await merchantWithCompanies();
      withoutTimeouts();
      requests = [];
      const { body } = await client.call('GET', `/customers/count?${COMPANIES}`);
      expect(body).toEqual({ count: 11 });
      expect(readsOfFiles()).toBe(1);
      // A second count reads the file from memory.
      await client.call('GET', `/customers/count?${COMPANIES}`);
      expect(readsOfFiles()).toBe(1);
      expect(readsOfIndex()).toBe(2);
      await expectRightAnswers(client);
      vi.restoreAllMocks();
    });

    test.each<[string, Fault]>([
      ['does not respond', 'keep waiting'],
      ['responds after two seconds', { delayMs: 2_000 }],
      ['hangs up', 'hang up'],
      ['cuts its responses', 'cut the answer'],
      ['responds with 500', s3Error(500, 'InternalError')],
      ['has no such file', s3Error(404, 'NoSuchKey')],
      ['refuses access', s3Error(403, 'AccessDenied')],
    ])('Searches read the index if S3 %s', { timeout: TIMEOUT }, async (_, fault) => {
      const { name, client } = await merchantWithCompanies();
      s3.inject(`snapshots/${name}`, every(fault, /^GET/));
      requests = [];
      // On a busy machine some call takes longer.
      await eventually(async () => {
        const started = performance.now();
        await client.call('GET', `/customers/count?${COMPANIES}`);
        expect(performance.now() - started).toBeLessThan(1_900);
      });
      await expectRightAnswers(client);
      expect(readsOfFiles()).toBeGreaterThan(0);
      s3.heal(`snapshots/${name}`);
    });

    test.each<[string, (file: Buffer) => Buffer]>([
      ['has a changed byte in its head', (file) => changed(file, 40)],
      ['has a changed byte at its end', (file) => changed(file, file.length - 3)],
      ['is cut off', (file) => file.subarray(0, file.length / 2)],
      ['is empty', () => Buffer.alloc(0)],
      ['is another file', () => Buffer.from('%PDF-1.7 '.repeat(1_000))],
    ])('Searches read the index if the file %s', { timeout: TIMEOUT }, async (_, damage) => {
      const { name, client } = await merchantWithCompanies();
      const { snapshotKey } = await snapshots.pointer(name);
      const file = await readObject(localStack(), String(snapshotKey));
      await writeObject(localStack(), String(snapshotKey), damage(file));
      requests = [];
      await expectRightAnswers(client);
      // All texts are needed.
      expect(await idsOf(client, 'filter=search&search=n29')).toEqual([30]);
      expect(readsOfIndex()).toBeGreaterThan(0);
    });

    const OLD = 25 * 60 * 60_000;
    test.each<[string, (name: string) => Promise<void>]>([
      ['there is no snapshot', (name) => snapshots.forget(name)],
      [
        'the snapshot is older than a day',
        (name) => snapshots.change(name, { builtMs: Date.now() - OLD }),
      ],
      ['no heartbeat came through the stream', () => endHeartbeats()],
      [
        'changes were recorded late',
        () => snapshots.change('', { lateMs: Date.now() - 60_000 }, RECORDER_KEY),
      ],
      [
        'the change log has a gap',
        (name) => snapshots.change(name, { nextChange: 1_000 }, changeLogHeadKey(name)),
      ],
    ])('Searches read the index if %s', async (_, spoil) => {
      const { name, client } = await merchantWithCompanies();
      await snapshots.change(name, { claimedUntilMs: Date.now() + OLD });
      await spoil(name);
      if (!(await snapshots.pointer(name)).claimedUntilMs) {
        await snapshots.change(name, { claimedUntilMs: Date.now() + OLD });
      }
      requests = [];
      await expectRightAnswers(client);
      expect(readsOfIndex()).toBeGreaterThan(3);
      await snapshots.change('', { heartbeatMs: Date.now(), lateMs: 0 }, RECORDER_KEY);
    });
  });

  test('A search starts the build of a snapshot if there is none, and the next one reads it', async () => {
    const name = await merchantWithoutSnapshot();
    const client = await clientFor(name);
    await countUntil(client, 20, async () => {
      expect(await snapshots.pointer(name)).toMatchObject({
        snapshotCustomers: 20,
        lastSnapshotId: 20,
      });
    });
  });

  test.each<[string, boolean, (name: string) => Promise<unknown>]>([
    ['is 21 hours old', true, (name) => age(name, 21)],
    ['is 19 hours old', false, (name) => age(name, 19)],
    ['lacks changes of 70 customers', true, (name) => logChanges(name, 70)],
    ['lacks changes of 50 customers', false, (name) => logChanges(name, 50)],
  ])('If a snapshot %s, a search starts the next build: %s', async (_, isBuilt, spoil) => {
    const name = crypto.randomUUID();
    await snapshots.seed(name, Array(100).fill({ name: 'A' }));
    await spoil(name);
    await snapshots.change(name, { claimedUntilMs: 0 });
    const { snapshotKey } = await snapshots.pointer(name);
    const client = await clientFor(name);
    // Without the snapshot it would not know what that lacks.
    withoutTimeouts();
    const hasChanged = async () =>
      expect((await snapshots.pointer(name)).snapshotKey).not.toBe(snapshotKey);
    if (isBuilt) {
      await countUntil(client, 100, hasChanged);
    } else {
      await countLater(client, 0, 100);
      expect((await snapshots.pointer(name)).claimedUntilMs).toBe(0);
    }
    vi.restoreAllMocks();
  });

  const HOUR_MS = 60 * 60_000;

  async function age(name: string, hours: number): Promise<void> {
    const builtMs = Date.now() - hours * HOUR_MS;
    await snapshots.change(name, { builtMs, readFromIndexMs: builtMs });
  }

  /** Logs changes of the first customers, a while ago, so that the next snapshot has them. */
  function logChanges(name: string, count: number): Promise<void> {
    return longAgo(async () => {
      const { appendChanges } = await import('../../shared/storage/append-changes.ts');
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      await appendChanges(
        name,
        ids.map((id) => ({ kind: 'M', id })),
      );
    });
  }

  test('Of two builds at a time one builds', async () => {
    const name = await merchantWithoutSnapshot();
    const { buildSnapshot } = await import('../../shared/storage/snapshots/build-snapshot.ts');
    const outcomes = await Promise.all([buildSnapshot(name, 0), buildSnapshot(name, 0)]);
    expect(outcomes.filter(({ pointer }) => pointer)).toHaveLength(1);
    expect(outcomes).toContainEqual({ reason: 'another build has the claim' });
    expect(await buildSnapshot(name, 0)).toEqual({ reason: 'another build has the claim' });
  });

  test.each<[string, string, (name: string) => void]>([
    [
      'DynamoDB throttles a read of the index',
      'the index is under load',
      (name) =>
        dynamodb.inject(
          name,
          first(
            1,
            dynamodbError(400, 'ProvisionedThroughputExceededException'),
            /customerIndex.*#sk|#sk.*customerIndex/,
          ),
        ),
    ],
    [
      'the scheduler refuses to delete it in time',
      'ServiceQuotaExceededException',
      () => scheduler.inject('s3:deleteObject', every(QUOTA_EXCEEDED)),
    ],
    [
      'the scheduler refuses heartbeats',
      'ServiceQuotaExceededException',
      () => scheduler.inject('dynamodb:putItem', every(QUOTA_EXCEEDED)),
    ],
  ])('No snapshot is built if %s', async (_, reason, spoil) => {
    const name = await merchantWithoutSnapshot();
    spoil(name);
    const { buildSnapshot } = await import('../../shared/storage/snapshots/build-snapshot.ts');
    const outcome = await buildSnapshot(name, 0).catch((error: Error) => ({ reason: error.name }));
    expect(outcome).toEqual({ reason });
    dynamodb.heal(name);
    scheduler.heal('s3:deleteObject');
    scheduler.heal('dynamodb:putItem');
    expect((await snapshots.pointer(name)).snapshotKey).toBeUndefined();
    expect(await objectKeys(localStack(), `snapshots/${name}/`)).toEqual([]);
  });

  describe('if no heartbeat comes', () => {
    async function heartbeatHasCome() {
      const { heartbeatMs } = await snapshots.item(RECORDER_KEY);
      expect(heartbeatMs).toBeGreaterThan(Date.now() - 60_000);
    }

    test('a search starts the first build, which begins the heartbeats, and the next search uses the snapshot', async () => {
      const name = await merchantWithoutSnapshot();
      const client = await clientFor(name);
      await endHeartbeats();
      const laterMs = await countUntil(client, 20, async () =>
        expect(await snapshots.pointer(name)).toMatchObject({ snapshotCustomers: 20 }),
      );
      await eventually(heartbeatHasCome);
      requests = [];
      await countLater(client, laterMs + 11_000, 20);
      expect(requests.some(({ operation }) => operation.includes(`snapshots/${name}`))).toBe(true);
    });

    test('although there is a snapshot, a search has them begin again, and builds none', async () => {
      const name = crypto.randomUUID();
      await snapshots.seed(name, [{ name: 'A' }]);
      const { snapshotKey } = await snapshots.pointer(name);
      await snapshots.change(name, { claimedUntilMs: 0 });
      await endHeartbeats();
      const client = await clientFor(name);
      const laterMs = await countUntil(client, 1, heartbeatHasCome);
      const outcome = {
        message: 'Snapshot not built',
        merchant: name,
        reason: 'the change log is late',
      };
      await eventually(() =>
        expect(logged().map(({ what }) => what)).toContainEqual(expect.objectContaining(outcome)),
      );
      // A start that timed out for its caller can have begun them, so that the next one builds.
      if (laterMs > 0) return;
      expect(await snapshots.pointer(name)).toMatchObject({ snapshotKey, claimedUntilMs: 0 });
    });
  });

  describe('after a day', () => {
    const SECRET = 'Zebulon Quist';
    /** Sets the clock of this process ahead, and so that of the local scheduler. */
    async function later(hours: number, work: () => Promise<void>): Promise<void> {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * HOUR_MS });
      try {
        await work();
      } finally {
        vi.useRealTimers();
      }
    }
    const filesOf = (name: string) => objectKeys(localStack(), `snapshots/${name}/`);

    test('the bucket has no file with a text of a customer who was deleted', async () => {
      const name = crypto.randomUUID();
      const client = await clientFor(name);
      await snapshots.seed(name, [{ name: 'A' }, { name: SECRET }]);
      const first = await snapshots.pointer(name);
      expect(await textsOf(first)).toContain(SECRET.toUpperCase());
      expect((await client.call('DELETE', '/customers/2')).status).toBe(200);
      await snapshots.recorded(name, 3);
      const next = await snapshots.build(name);
      expect(await textsOf(next)).toEqual(['A']);
      const files = [String(first.snapshotKey), String(next.snapshotKey)].toSorted();
      // While searches may use them they stay.
      await later(22, async () => {
        await setTimeout(2_500);
        expect((await filesOf(name)).toSorted()).toEqual(files);
      });
      await later(24, () => eventually(async () => expect(await filesOf(name)).toEqual([])));
    });

    test('the bucket has no file of a build that was interrupted, either', async () => {
      const name = await merchantWithoutSnapshot();
      const { buildSnapshot } = await import('../../shared/storage/snapshots/build-snapshot.ts');
      dynamodb.inject('snapshotKey', every(dynamodbError(400, 'AccessDeniedException')));
      const outcome = await buildSnapshot(name, 0).catch((error: Error) => error.name);
      dynamodb.heal('snapshotKey');
      expect(outcome).toBe('AccessDeniedException');
      expect(await filesOf(name)).toHaveLength(1);
      await later(24, () => eventually(async () => expect(await filesOf(name)).toEqual([])));
    });

    test('nothing is written each minute if there is no newer snapshot, and searches read the index', async () => {
      const name = crypto.randomUUID();
      await snapshots.seed(name, [{ name: 'A' }, { name: 'B' }]);
      // Its claim would be that of a build a day later.
      await snapshots.change(name, { claimedUntilMs: Date.now() + 48 * HOUR_MS });
      await later(24, async () => {
        await eventually(async () => expect(await filesOf(name)).toEqual([]));
        const { scheduled } = await snapshots.item(HEARTBEAT_KEY);
        const client = await clientFor(name);
        requests = [];
        expect((await client.call('GET', '/customers/count')).body).toEqual({ count: 2 });
        expect(requests.map(({ operation }) => operation)).toEqual(['Query']);
        // Two minutes later, as the scheduler has it.
        vi.setSystemTime(Date.now() + 120_000);
        await setTimeout(2_500);
        expect((await snapshots.item(HEARTBEAT_KEY)).scheduled).toBe(scheduled);
      });
    });
  });

  test.each<[string, number, Faults]>([
    ['are recorded two minutes late', 120, () => undefined],
    ['cannot be recorded', 0, every(dynamodbError(400, 'ValidationException'), /^PutItem/)],
  ])('Searches read the index for three minutes if changes %s', async (_, ageS, faults) => {
    const name = crypto.randomUUID();
    await snapshots.seed(name, [{ name: 'A' }]);
    const { handler } = await import('../../functions/record-changes/handler.ts');
    dynamodb.inject(name, faults);
    const record = {
      eventName: 'MODIFY',
      dynamodb: {
        Keys: rawCustomerKey(name, 1),
        SequenceNumber: '1',
        ApproximateCreationDateTime: Math.floor(Date.now() / 1_000) - ageS,
      },
    };
    await handler({ Records: [record] } as never);
    dynamodb.heal(name);
    await snapshots.change(name, { claimedUntilMs: Date.now() + HOUR_MS });
    const client = await clientFor(name);
    requests = [];
    await client.call('GET', '/customers/count');
    expect(requests.map(({ operation }) => operation)).toEqual(['Query']);
    // Again if a heartbeat of the stack's own comes between, or a busy machine delays the search.
    let isRead = false;
    for (let nth = 1; nth <= 5 && !isRead; nth += 1) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + nth * 181_000 });
      await snapshots.change('', { heartbeatMs: Date.now() }, RECORDER_KEY);
      requests = [];
      await client.call('GET', '/customers/count');
      vi.useRealTimers();
      isRead = requests.some(({ operation }) => operation.includes(`snapshots/${name}`));
    }
    expect(isRead).toBe(true);
    await snapshots.change('', { heartbeatMs: Date.now(), lateMs: 0 }, RECORDER_KEY);
  });

  test('A snapshot leaves the customers of the last five minutes to the index', async () => {
    const name = crypto.randomUUID();
    await snapshots.seed(name, [{ name: 'A' }, { name: 'B' }]);
    const client = await clientFor(name);
    await client.call('POST', '/customers', { body: { name: 'C' } });
    await snapshots.recorded(name, 3);
    for (const previous of ['snapshot', 'index']) {
      if (previous === 'index') await snapshots.forget(name);
      expect(await snapshots.build(name), previous).toMatchObject({
        snapshotCustomers: 2,
        lastSnapshotId: 2,
      });
      expect((await client.call('GET', '/customers/count')).body).toEqual({ count: 3 });
    }
  });

  test('A customer that is deleted is not in the next snapshot, whatever it is built from', async () => {
    const name = crypto.randomUUID();
    const client = await clientFor(name);
    const secret = 'Zebulon Quist';
    await snapshots.seed(name, [{ name: 'A' }, { name: secret }, { name: 'B' }]);
    const first = await snapshots.pointer(name);
    expect(await textsOf(first)).toContain('ZEBULON QUIST');
    expect((await client.call('DELETE', '/customers/2')).status).toBe(200);
    await snapshots.recorded(name, 4);
    const next = await snapshots.build(name);
    expect(next.readFromIndexMs).toBe(first.readFromIndexMs);
    expect(next.snapshotKey).not.toBe(first.snapshotKey);
    expect(await textsOf(next)).toEqual(['A', 'B']);
    await snapshots.forget(name);
    expect(await textsOf(await snapshots.build(name))).toEqual(['A', 'B']);
  });

  test("A snapshot's file is under its merchant's prefix, and has no other merchant's customers", async () => {
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    await snapshots.seed(one, [{ name: 'Mine' }]);
    await snapshots.seed(other, [{ name: 'Yours' }, { name: 'Yours too' }]);
    const pointer = await snapshots.pointer(one);
    expect(pointer.snapshotKey).toMatch(new RegExp(`^snapshots/${one}/[0-9a-f-]{36}$`));
    expect(await textsOf(pointer)).toEqual(['MINE']);
    const client = await clientFor(other);
    expect((await client.call('GET', '/customers/count')).body).toEqual({ count: 2 });
    expect(await idsOf(client, 'filter=search&search=mine')).toEqual([]);
  });

  /** Returns the names in a snapshot's file. */
  async function textsOf({ snapshotKey, headBytes }: Record<string, unknown>) {
    const { openSnapshot } = await import('../../shared/storage/snapshots/snapshot-reader.ts');
    const file = await readObject(localStack(), String(snapshotKey));
    const reader = { read: async (from: number, to: number) => file.subarray(from, to) };
    const snapshot = await openSnapshot(reader, Number(headBytes));
    const names: (string | undefined)[] = [];
    for await (const entries of snapshot.entries()) {
      names.push(...entries.map(({ nameText }) => nameText));
    }
    return names;
  }
});

const QUOTA_EXCEEDED: Fault = {
  status: 402,
  headers: { 'x-amzn-errortype': 'ServiceQuotaExceededException' },
  body: JSON.stringify({ Message: 'Too many schedules.' }),
};

function changed(file: Buffer, offset: number): Buffer {
  const copy = Buffer.from(file);
  copy[offset] = (copy[offset] as number) ^ 0x40;
  return copy;
}
