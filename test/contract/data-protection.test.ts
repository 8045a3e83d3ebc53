import {
  type AttributeValue,
  DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  CUSTOMER_INDEX,
  IDENTITY_NUMBER_INDEX,
  LOOK_UP_INDEX_NAMES,
} from '../../shared/storage/table.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { keysInBucket } from '../support/export-bucket.ts';

useApi();

/** A person, and an idempotency key as an order system may choose it. */
const ANNA = {
  customerid: 'anna-77',
  name: 'Anna-Karin Öberg',
  companyno: '19900118-9811',
  address: 'Hemliga gatan 4',
  email: 'anna@example.com',
  notes: 'Betalar gärna i förskott',
};
const KEY = 'order-anna@example.com';
const TRACES = [...Object.values(ANNA), KEY, 'hemliga', '199001189811', 'gärna'];

// Reads the table itself, below the API.
describe.runIf(isLocal)('Personal data', () => {
  let dynamodb: DynamoDBClient;
  let name: string;
  let merchant: Client;

  beforeAll(async () => {
    dynamodb = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
    name = crypto.randomUUID();
    merchant = await newMerchant(0, { merchant: name });
  });

  async function stored(index?: string): Promise<Record<string, AttributeValue>[]> {
    const query: QueryCommandInput = {
      TableName: localStack().table,
      ...(index && { IndexName: index }),
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: `MERCHANT#${name}` } },
    };
    return (await dynamodb.send(new QueryCommand(query))).Items ?? [];
  }
  const keys = async () =>
    [...new Set((await stored()).map((item) => item.sk?.S?.split('#')[0]))].sort();
  const tracesIn = (text: string) =>
    TRACES.filter((trace) => text.toLowerCase().includes(trace.toLowerCase()));

  test('Nothing of a deleted customer is left but its id, and the record of an Idempotency-Key without its data', async () => {
    const answer = await merchant.call('POST', '/customers', {
      body: ANNA,
      headers: { 'idempotency-key': KEY },
    });
    const { mexcParamvaluesetsid: id } = answer.body;
    const other = await create(merchant, { ...ANNA, customerid: 'anna-78' });
    const put = (key: string) =>
      merchant.call('PUT', `/customers/by-customerid/${key}`, {
        body: { ...ANNA, customerid: key },
      });
    const [own, renamed] = [(await put('anna-79')).body, (await put('anna-80')).body];
    const path = `/customers/${renamed.mexcParamvaluesetsid}`;
    await merchant.call('PATCH', path, { body: { customerid: 'anna-81' } });
    expect(await keys()).toContain('CLAIM');
    expect(tracesIn(JSON.stringify(await stored()))).not.toEqual([]);
    await eventually(async () => expect(await stored(IDENTITY_NUMBER_INDEX.name)).toHaveLength(4));

    await merchant.call('PATCH', `/customers/${id}`, { body: { address: 'Nya gatan 1' } });
    await merchant.call('DELETE', `/customers/${id}`);
    await merchant.call('DELETE', path);
    const others = [other.mexcParamvaluesetsid, own.mexcParamvaluesetsid];
    await merchant.call('DELETE', '/customers', { body: others });
    await eventually(async () => {
      const log = (await stored()).map((item) => item.changedIds?.S).join(' ');
      expect(log).toContain(`R${id}`);
    });
    expect(await keys()).toEqual(['CHANGES', 'IDEMPOTENCY', 'SEQUENCE']);
    expect(tracesIn(JSON.stringify(await stored()))).toEqual([]);
    await eventually(async () => {
      for (const index of [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES]) {
        expect(await stored(index)).toEqual([]);
      }
    });
  });

  test('The record of an Idempotency-Key cannot confirm a guess of the request body', async () => {
    await merchant.call('POST', '/customers', {
      body: ANNA,
      headers: { 'idempotency-key': 'another' },
    });
    const hashes = (await stored()).flatMap((item) => item.bodyHash?.S ?? []);
    expect(hashes).toHaveLength(2);
    expect(new Set(hashes).size).toBe(2);
  });

  test('A replaced text is deleted from the table', async () => {
    const { mexcParamvaluesetsid: id } = await create(merchant, {
      name: 'Bo Ek',
      notes: 'Hemligt',
    });
    await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'Eva Alm', notes: '' } });
    const text = JSON.stringify(await stored());
    expect(text).toContain('Eva Alm');
    for (const old of ['Bo Ek', 'bo ek', 'Hemligt', 'hemligt']) expect(text).not.toContain(old);
  });

  test('The URL of an export contains no personal data', async () => {
    const { body } = await merchant.call('GET', '/customers/export/csv');
    expect(body.count).toBeGreaterThan(0);
    expect(tracesIn(decodeURIComponent(body.url))).toEqual([]);
    expect(await keysInBucket(name)).not.toEqual([]);
  });
});
