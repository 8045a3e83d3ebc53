import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/stack.ts';
import { type CountingProxy, startCountingProxy } from '../bench/counting-proxy.ts';
import { type Client, clientOf, createMany } from '../support/api.ts';

// The cost of calls in read units, as the server reports them (ReturnConsumedCapacity).

/** A customer of about 20,300 bytes, whose entry in the customer index has about 150. */
const TEXT = 'x'.repeat(10_000);
const LARGE = { companyno: '556703-7485', notes: TEXT, statuslog: TEXT };
const ITEM_BYTES = 20_300;
const COUNT = 200;
/** Bytes of one unit for a strongly consistent read; an eventually consistent one costs half. */
const UNIT = 4_096;
const ITEM_UNITS = Math.ceil(ITEM_BYTES / UNIT);
/** Maximum units for entries of the customer index. */
const entries = (count: number) => (count * 170) / UNIT / 2 + 1;

describe.skipIf(process.env.API_URL)('Read units', () => {
  let stack: LocalStack;
  let proxy: CountingProxy;
  let merchant: Client;
  let ids: number[];

  beforeAll(async () => {
    const dynamodbEndpoint = process.env.DYNAMODB_ENDPOINT;
    const table = `customers-${crypto.randomUUID()}`;
    stack = await startLocalStack(dynamodbEndpoint ? { dynamodbEndpoint, table } : {});
    proxy = await startCountingProxy(stack.dynamodbEndpoint);
    // The handlers' SDK reads this on its first call.
    process.env.AWS_ENDPOINT_URL_DYNAMODB = proxy.endpoint;
    merchant = clientOf(stack.url, await stack.token({ merchant: 'm' }));
    const customers = await createMany(merchant, COUNT, (index) => ({
      ...LARGE,
      name: index % 50 === 7 ? 'Ek' : 'Alm',
    }));
    ids = customers.map((customer) => customer.mexcParamvaluesetsid);
  });
  afterAll(async () => {
    await proxy.close();
    await stack.close();
  });

  async function consumptionOf(method: string, path: string, body?: unknown) {
    proxy.take();
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await merchant.call(method, path, { headers, ...(body ? { body } : {}) });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return { ...proxy.take(), answer };
  }

  test('GET of a customer reads one item once', async () => {
    const { units, requests } = await consumptionOf('GET', `/customers/${ids[0]}`);
    expect(requests).toBe(1);
    expect(units).toBe(ITEM_UNITS);
  });

  test.each(['', '?filter=isCompany', '?filter=search&search=ek', '?filter=!isEFaktura'])(
    'GET /customers/count%s reads index entries only',
    async (query) => {
      const { units, requests } = await consumptionOf('GET', `/customers/count${query}`);
      // DynamoDB Local limits a page by the size of whole items, even if it reads an index.
      expect(units).toBeLessThanOrEqual(entries(COUNT) + requests / 2);
    },
  );

  test('A count by days costs at most 20 units more', async () => {
    const query = 'filter=rangeByDate&from=2020-01-01&to=2999-12-31';
    const { units } = await consumptionOf('GET', `/customers/count?${query}`);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + 20);
  });

  test('A search reads only the customers that it finds as whole items', async () => {
    const { units, answer } = await consumptionOf('GET', '/customers?filter=search&search=ek');
    expect(answer.body).toHaveLength(4);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + 4 * ITEM_UNITS + 1);
  });

  test('A page at an offset reads index entries up to the offset, and the customers of the page', async () => {
    const { units } = await consumptionOf('GET', '/customers?start=150&limit=2');
    expect(units).toBeLessThanOrEqual(entries(153) + 2 * ITEM_UNITS + 1);
  });

  test('A cursor costs the same wherever it leads', async () => {
    const first = await consumptionOf('GET', '/customers?limit=10');
    const before = await consumptionOf('GET', '/customers?limit=10&start=170');
    const link = /<(.+)>/.exec(before.answer.headers.get('link') ?? '')?.[1] ?? '';
    const there = await consumptionOf('GET', link.slice(merchant.url.length));
    expect(there.answer.body[0].mexcParamvaluesetsid).toBe(ids.toSorted((a, b) => a - b)[180]);
    expect(there.units).toBe(first.units);
    expect(there.requests).toBe(1);
  });

  test('An export by ids reads nearby customers together, each at the cost of a GET or less', async () => {
    const few = ids.toSorted((a, b) => a - b).slice(0, 40);
    const chosen = await consumptionOf('POST', '/customers/export/csv', few);
    // Some servers return at most 1 MB and leave the other keys unprocessed.
    expect(chosen.requests).toBeLessThanOrEqual(6);
    expect(chosen.units).toBeLessThanOrEqual(few.length * ITEM_UNITS + 1);
    expect(chosen.units).toBeGreaterThan(few.length * ITEM_UNITS * 0.95);
    const absent = Array.from({ length: 100 }, (_, index) => 1_000_000 + index);
    const more = await consumptionOf('POST', '/customers/export/csv', [...few, ...absent]);
    // A slow export takes a lease as well.
    expect(more.units).toBeLessThanOrEqual(chosen.units + 2);
  });

  test('An export by ids reads distant customers one by one, in one request', async () => {
    const far = ids.toSorted((a, b) => a - b).filter((_, index) => index % 20 === 0);
    const { units, requests } = await consumptionOf('POST', '/customers/export/csv', far);
    expect(requests).toBe(1);
    expect(units).toBe(far.length * ITEM_UNITS);
  });

  test('An export with a filter that most customers match costs at most a fifth more than one of all', async () => {
    const all = await consumptionOf('GET', '/customers/export/csv');
    const most = await consumptionOf('GET', '/customers/export/csv?filter=isCompany');
    expect(most.answer.body.count).toBe(COUNT);
    expect(most.units).toBeLessThan(all.units * 1.2);
    const some = await consumptionOf('GET', '/customers/export/csv?filter=search&search=ek');
    expect(some.answer.body.count).toBe(COUNT / 50);
    expect(some.units).toBeLessThan(all.units / 10);
  });

  test('A page with a filter costs little more than a page of all customers', async () => {
    const page = await consumptionOf('GET', '/customers?limit=50');
    const filtered = await consumptionOf('GET', '/customers?limit=50&filter=isCompany');
    expect(filtered.answer.body).toEqual(page.answer.body);
    expect(filtered.units).toBeLessThan(page.units + entries(COUNT));
  });

  test('An export of all customers reads each once, eventually consistently', async () => {
    const { units } = await consumptionOf('GET', '/customers/export/csv');
    const all = (COUNT * ITEM_BYTES) / UNIT / 2;
    expect(units).toBeGreaterThan(all * 0.95);
    expect(units).toBeLessThan(all * 1.05 + ITEM_UNITS);
  });

  test('A look-up by number reads the keys in the index and one customer', async () => {
    const { units, requests } = await consumptionOf(
      'GET',
      '/customers/searchByOrgNumber/556703-7485',
    );
    expect(requests).toBe(2);
    expect(units).toBeLessThanOrEqual(entries(COUNT) + ITEM_UNITS);
  });

  test('A look-up of a cached company costs at most one unit', async () => {
    const path = '/customers/searchByOrgNumber/999990010';
    await merchant.call('GET', path);
    const { units, requests, answer } = await consumptionOf('GET', path);
    expect(answer.headers.get('register-source')).toBe('brreg');
    // One request to the index, where no customer has the number, and one to the cache.
    expect(requests).toBe(2);
    expect(units).toBeLessThanOrEqual(1);
  });
});
