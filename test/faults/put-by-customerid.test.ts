import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test } from 'vitest';
import { partitionKey } from '../../shared/storage/table.ts';
import { type Client, isLocal, localStack, newMerchant, useApi } from '../support/api.ts';
import {
  dynamodbError,
  every,
  type Faults,
  first,
  firstLate,
  useProxyOf,
} from '../support/fault-proxy.ts';
import { iterations } from '../support/iterations.ts';
import { quiet } from '../support/logs.ts';
import { randomOf, SEED } from '../support/random.ts';
import { randomFaults } from '../support/random-faults.ts';

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

const dynamodb = useProxyOf('dynamodb');
beforeAll(quiet);

const put = (merchant: Client, body: Record<string, string>) =>
  merchant.call('PUT', '/customers/by-customerid/K', { body });

/** Returns how many claims a merchant has. */
async function claimsOf(name: string): Promise<number> {
  const table = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
  const { Count = 0 } = await table.send(
    new QueryCommand({
      TableName: localStack().table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :claim)',
      ExpressionAttributeValues: { ':pk': { S: partitionKey(name) }, ':claim': { S: 'CLAIM#' } },
    }),
  );
  return Count;
}

async function customersOf(merchant: Client): Promise<Record<string, string | number>[]> {
  return (await merchant.call('GET', '/customers?limit=1000')).body;
}

describe.runIf(isLocal).concurrent('PUT by customerid under faults', () => {
  async function merchantWith(faults?: Faults) {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    if (faults) dynamodb.inject(name, faults);
    return { name, merchant };
  }

  test('A late creation does not bring a deleted customer back, nor its claim', async () => {
    const { faults, landed } = firstLate(/^TransactWriteItems/);
    const { merchant } = await merchantWith(faults);
    const created = await put(merchant, { name: 'A' });
    expect(created.status).toBe(201);
    const path = `/customers/${created.body.mexcParamvaluesetsid}`;
    expect((await merchant.call('DELETE', path)).status).toBe(200);
    await landed;
    expect(await customersOf(merchant)).toEqual([]);
    const again = await put(merchant, { name: 'B' });
    expect(again.status).toBe(201);
    expect(await customersOf(merchant)).toEqual([again.body]);
  });

  test('A late replacement does not bring a deleted customer back', async () => {
    const { name, merchant } = await merchantWith();
    const { body } = await put(merchant, { name: 'A' });
    const { faults, landed } = firstLate(/^PutItem/);
    dynamodb.inject(name, faults);
    expect((await put(merchant, { name: 'B' })).status).toBe(200);
    await merchant.call('DELETE', `/customers/${body.mexcParamvaluesetsid}`);
    await landed;
    expect(await customersOf(merchant)).toEqual([]);
  });

  test('A late release of a claim does not free the claim of the next customer', async () => {
    const { name, merchant } = await merchantWith();
    const { body } = await put(merchant, { name: 'A' });
    const { faults, landed } = firstLate(/^DeleteItem .*CLAIM#/);
    dynamodb.inject(name, faults);
    await merchant.call('DELETE', `/customers/${body.mexcParamvaluesetsid}`);
    const second = await put(merchant, { name: 'B' });
    await landed;
    // The index finds none for this request; the claim does.
    dynamodb.inject(
      name,
      every(dynamodbError(400, 'ProvisionedThroughputExceededException'), /^Query/),
    );
    const replaced = await put(merchant, { name: 'C' });
    expect([replaced.status, replaced.body.mexcParamvaluesetsid]).toEqual([
      200,
      second.body.mexcParamvaluesetsid,
    ]);
  });

  test('A DELETE whose claim cannot be released is 200, and the next PUT creates another customer', async () => {
    const { name, merchant } = await merchantWith();
    const { body } = await put(merchant, { name: 'A' });
    const throttled = dynamodbError(400, 'ProvisionedThroughputExceededException');
    dynamodb.inject(name, every(throttled, /^DeleteItem .*CLAIM#/));
    const path = `/customers/${body.mexcParamvaluesetsid}`;
    expect((await merchant.call('DELETE', path)).status).toBe(200);
    dynamodb.heal(name);
    expect((await put(merchant, { name: 'B' })).status).toBe(201);
    expect(await customersOf(merchant)).toHaveLength(1);
  });

  test('A DELETE with If-Match that a change precedes leaves the claim of the customer', async () => {
    const { name, merchant } = await merchantWith();
    const { body } = await put(merchant, { name: 'A' });
    const path = `/customers/${body.mexcParamvaluesetsid}`;
    // The first attempt is not executed, and the second one comes after the change.
    let attempts = 0;
    dynamodb.inject(name, async ({ operation, body }) => {
      if (operation !== 'DeleteItem' || !body.includes('CUSTOMER#')) return undefined;
      attempts += 1;
      if (attempts === 1) return 'keep waiting';
      if (attempts === 2) await merchant.call('PATCH', path, { body: { name: 'B' } });
      return undefined;
    });
    const deleted = await merchant.call('DELETE', path, { headers: { 'if-match': '"1"' } });
    expect(deleted.status).toBe(412);
    expect(await claimsOf(name)).toBe(1);
  });

  test.each([
    ['creation', /^TransactWriteItems/, 0],
    ['replacement', /^PutItem/, 1],
  ])('A lost response to a %s is retried, and it is written once', async (_, operation, before) => {
    const { name, merchant } = await merchantWith();
    for (let index = 0; index < before; index += 1) await put(merchant, { name: 'A' });
    dynamodb.inject(name, first(1, 'lose the answer', operation));
    const { status, headers, body } = await put(merchant, { name: 'B' });
    expect([status, headers.get('etag')]).toEqual([before ? 200 : 201, `"${before + 1}"`]);
    expect(await customersOf(merchant)).toEqual([body]);
  });

  test('A PUT that is repeated by its caller after a 503 makes one customer', async () => {
    const { name, merchant } = await merchantWith();
    dynamodb.inject(name, every('lose the answer', /^TransactWriteItems/));
    expect((await put(merchant, { name: 'A' })).status).toBe(503);
    dynamodb.heal(name);
    const { status, body } = await put(merchant, { name: 'A' });
    expect(status).toBe(200);
    expect(await customersOf(merchant)).toEqual([body]);
  });

  const RUNS = iterations({ short: 4, long: 100 });
  test.each(Array.from({ length: RUNS }, (_, index) => SEED * 1_000 + index))(
    'Random faults make no second customer of a customerid (seed %i)',
    async (seed) => {
      const random = randomOf(seed);
      const { name, merchant } = await merchantWith();
      const faults = randomFaults(random);
      dynamodb.inject(name, faults.dynamodb);
      const write = async (index: number) => {
        const { body } = await put(merchant, { name: String(index) });
        const path = `/customers/${body.mexcParamvaluesetsid ?? 1}`;
        const dice = random.next();
        if (dice < 0.3) await merchant.call('DELETE', path);
        else if (dice < 0.5) {
          await merchant.call('PATCH', path, { body: { customerid: 'other' } });
        }
      };
      const lanes = Array.from({ length: 4 }, async (_, lane) => {
        for (let index = 0; index < 4; index += 1) await write(10 * lane + index);
      });
      await Promise.all(lanes);
      faults.end();
      await faults.settle();
      dynamodb.heal(name);
      const last = await put(merchant, { name: 'last' });
      expect([200, 201]).toContain(last.status);
      const own = (await customersOf(merchant)).filter(({ customerid }) => customerid === 'K');
      expect(own).toEqual([last.body]);
    },
  );
});
