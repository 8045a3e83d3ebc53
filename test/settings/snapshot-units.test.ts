import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { type CountingProxy, startCountingProxy } from '../bench/counting-proxy.ts';
import { type Client, clientOf } from '../support/api.ts';
import { databaseOptions } from '../support/database.ts';
import { createLargeMerchant, RARE_NAME } from '../support/large-merchant.ts';
import { quiet } from '../support/logs.ts';
import { Snapshots } from '../support/snapshots.ts';
import { withoutTimeouts } from '../support/time-outs.ts';

// The cost of searches of a merchant with 100,000 customers, as the server reports it. `npm run
// bench:cost` measures the same of 1,000,000.

const CUSTOMERS = 100_000;
/** So many of them differ: units do not depend on it. */
const DISTINCT = 2_000;
/** Newest customers, which only the index has. */
const NEWER = 20;
/** A page of the index, of 1 MB, eventually consistent. */
const PAGE_UNITS = 130;

/** Returns the day that is so many days away. */
function day(distance: number): string {
  return new Date(Date.now() + distance * 86_400_000).toISOString().slice(0, 10);
}

describe.skipIf(process.env.API_URL)('With a snapshot of 100,000 customers', () => {
  let stack: LocalStack;
  let proxy: CountingProxy;
  const name = crypto.randomUUID();
  let client: Client;
  let changed: readonly number[];
  let hoursLater = 0;

  beforeAll(async () => {
    quiet();
    // The snapshot is read, however busy the machine is.
    withoutTimeouts();
    // Its requests would be counted as well.
    stack = await startLocalStack({ recordChanges: false, ...databaseOptions() });
    proxy = await startCountingProxy(stack.dynamodbEndpoint, { roundMs: 20 });
    process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.endpoint;
    ({ changed } = await createLargeMerchant(stack, name, CUSTOMERS, DISTINCT));
    client = clientOf(stack.url, await stack.token({ merchant: name }));
  }, 120_000);
  afterAll(async () => {
    vi.restoreAllMocks();
    await proxy.close();
    await stack.close();
  });

  async function consumptionOf(path: string) {
    proxy.take();
    const { status, body } = await client.call('GET', path);
    expect(status, JSON.stringify(body)).toBe(200);
    return { body, ...proxy.take() };
  }

  // The tests follow one another: the first search of an execution environment reads a page of the index.
  test('the first count reads a page of the index, what has changed, and the snapshot', async () => {
    const { units, inSequence, body } = await consumptionOf('/customers/count');
    expect(body).toEqual({ count: CUSTOMERS + NEWER });
    expect(units).toBeLessThanOrEqual(PAGE_UNITS + 40);
    // The page, the newest id, the state, the change log, and what has changed together with what is newer.
    expect(inSequence).toBeLessThanOrEqual(5);
  });

  const CALLS = [
    ['a count', '/customers/count'],
    ['a count by kind', '/customers/count?filter=isCompany'],
    ['a count of the customers with a letter', '/customers/count?filter=search&search=e'],
    ['a search for a rare name', `/customers?filter=search&search=${RARE_NAME}`],
    ['a search with a page of customers', '/customers?filter=search&search=ek&limit=10'],
    ['a list far behind the start', '/customers?start=90000&limit=10'],
    ['the newest companies', '/customers?filter=isCompany&sort=-date&limit=1'],
    [
      'a count of the companies of some days',
      `/customers/count?filter=isCompany,rangeByDate&from=${day(-1)}&to=${day(1)}`,
    ],
    ['companies from the newest on', '/customers?filter=isCompany&sort=-date&limit=50'],
  ] as const;

  test.each(CALLS)('%s takes at most 60 units and three round trips', async (_, path) => {
    await consumptionOf(path);
    const { units, inSequence } = await consumptionOf(path);
    expect(units).toBeLessThanOrEqual(60);
    expect(inSequence).toBeLessThanOrEqual(3);
  });

  test.each(CALLS)(
    '%s takes at most 60 units and three round trips also if customers have changed since the last one',
    async (_, path) => {
      await consumptionOf(path);
      const { appendChanges } = await import('../../shared/storage/append-changes.ts');
      // One that each call may find, and others in different frames.
      const ids = [1_400, CUSTOMERS / 2, ...changed.slice(0, 10)];
      await appendChanges(
        name,
        ids.map((id) => ({ kind: 'M', id })),
      );
      // The state is read anew as well.
      hoursLater += 1 / 60;
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hoursLater * 60 * 60_000 });
      const { units, inSequence } = await consumptionOf(path).finally(() => vi.useRealTimers());
      expect(units).toBeLessThanOrEqual(60);
      expect(inSequence).toBeLessThanOrEqual(3);
    },
  );

  test('a page of which no customer has changed reads none of the others that have', async () => {
    const { appendChanges } = await import('../../shared/storage/append-changes.ts');
    const ids = Array.from({ length: 50 }, (_, index) => 40_000 + 1_000 * index);
    await appendChanges(
      name,
      ids.map((id) => ({ kind: 'M', id })),
    );
    const { units } = await consumptionOf('/customers?filter=!search&search=none&limit=10');
    expect(units).toBeLessThanOrEqual(12);
  });

  test('a search for a rare name finds its customer', async () => {
    const { body } = await consumptionOf(`/customers?filter=search&search=${RARE_NAME}`);
    expect(body.map(({ name }: { name: string }) => name)).toEqual([RARE_NAME]);
  });

  test('if a tenth of the customers have changed, a count costs at most a twentieth more than by the index', async () => {
    const { appendChanges } = await import('../../shared/storage/append-changes.ts');
    const changes = Array.from({ length: CUSTOMERS / 10 }, (_, index) => ({
      kind: 'M' as const,
      id: 10 * index + 1,
    }));
    await appendChanges(name, changes);
    const withSnapshot = await consumptionOf('/customers/count');
    // Older than a day, and built by none.
    await new Snapshots(stack).change(name, { builtMs: 0 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11_000 });
    const byIndex = await consumptionOf('/customers/count');
    vi.useRealTimers();
    // The table has few of the customers, and an index of all of them would cost more.
    const unitsOfIndex = (CUSTOMERS * 143) / (2 * 4_096);
    expect(withSnapshot.units - byIndex.units).toBeLessThanOrEqual(0.05 * unitsOfIndex);
  });
});
