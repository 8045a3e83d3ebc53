import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { type CountingProxy, startCountingProxy } from '../bench/counting-proxy.ts';
import { type Client, clientOf } from '../support/api.ts';
import { createLargeMerchant, RARE_NAME } from '../support/large-merchant.ts';
import { quiet } from '../support/logs.ts';

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
  let client: Client;

  beforeAll(async () => {
    quiet();
    // Its requests would be counted as well.
    stack = await startLocalStack({ recordChanges: false });
    proxy = await startCountingProxy(stack.dynamodbEndpoint);
    process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.endpoint;
    const name = crypto.randomUUID();
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
});
