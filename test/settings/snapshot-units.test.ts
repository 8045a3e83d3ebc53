import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { type CountingProxy, startCountingProxy } from '../bench/counting-proxy.ts';
import { type Client, clientOf } from '../support/api.ts';
import { createLargeMerchant, RARE_NAME } from '../support/large-merchant.ts';
import { quiet } from '../support/logs.ts';
import { Snapshots } from '../support/snapshots.ts';

// The cost of searches of a merchant with 100,000 customers, as the server reports it. `npm run
// bench:cost` measures the same of 1,000,000.

const CUSTOMERS = 100_000;
/** Newest customers, which only the index has. */
const NEWER = 20;
/** A page of the index, of 1 MB, eventually consistent. */
const PAGE_UNITS = 130;

describe.skipIf(process.env.API_URL)('With a snapshot of 100,000 customers', () => {
  let stack: LocalStack;
  let proxy: CountingProxy;
  const name = crypto.randomUUID();
  let client: Client;

  beforeAll(async () => {
    quiet();
    // Its requests would be counted as well.
    stack = await startLocalStack({ recordChanges: false });
    proxy = await startCountingProxy(stack.dynamodbEndpoint);
    process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.endpoint;
    await createLargeMerchant(stack, name, CUSTOMERS);
    client = clientOf(stack.url, await stack.token({ merchant: name }));
  }, 120_000);
  afterAll(async () => {
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
    const { units, body } = await consumptionOf('/customers/count');
    expect(body).toEqual({ count: CUSTOMERS + NEWER });
    expect(units).toBeLessThanOrEqual(PAGE_UNITS + 40);
  });

  test.each([
    ['a count', '/customers/count'],
    ['a count by kind', '/customers/count?filter=isCompany'],
    ['a count of the customers with a letter', '/customers/count?filter=search&search=e'],
    ['a search for a rare name', `/customers?filter=search&search=${RARE_NAME}`],
    ['a search with a page of customers', '/customers?filter=search&search=ek&limit=10'],
    ['a list far behind the start', '/customers?start=90000&limit=10'],
    ['the newest companies', '/customers?filter=isCompany&sort=-date&limit=1'],
  ])('%s takes at most 60 units and three round trips', async (_, path) => {
    await consumptionOf(path);
    const { units, inSequence } = await consumptionOf(path);
    expect(units).toBeLessThanOrEqual(60);
    expect(inSequence).toBeLessThanOrEqual(3);
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
