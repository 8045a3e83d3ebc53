import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CAPACITY } from '../../infra/capacity.ts';
import { type Client, create, isLocal, newMerchant, useApi } from '../support/api.ts';
import { dynamodbError, every, type FaultProxy, startProxyOf } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';

// One merchant overloads the API, and another must not be affected. The limits are those of
// production, but smaller, so that few calls exceed them.
const CALLS = 30;
/** Calls that the throttle accepts while one of them waits for the table. */
const TAKEN_ON = 20;
const EXPORTS_AT_ONCE = 3;
useApi({
  capacity: {
    ...CAPACITY,
    concurrency: 5 * EXPORTS_AT_ONCE + TAKEN_ON,
    exportConcurrency: EXPORTS_AT_ONCE,
  },
});

describe.runIf(isLocal)('Noisy neighbours', () => {
  let dynamodb: FaultProxy;
  let s3: FaultProxy;
  let flooding: Client;
  let other: Client;
  let name: string;

  beforeAll(async () => {
    dynamodb = await startProxyOf('dynamodb');
    s3 = await startProxyOf('s3');
    quiet();
    name = crypto.randomUUID();
    flooding = await newMerchant(0, { merchant: name });
    other = await newMerchant(1);
    for (const client of [flooding, other]) await create(client, { name: 'A' });
  });
  afterAll(async () => {
    await dynamodb.close();
    await s3.close();
  });

  /** Returns the statuses of sequential calls of the other merchant. */
  async function statusesOfOther(): Promise<Set<number>> {
    const statuses = new Set<number>();
    for (let call = 0; call < CALLS; call += 1) {
      const path = ['/customers', '/customers/1', '/customers/count'][call % 3] as string;
      statuses.add((await other.call('GET', path)).status);
    }
    statuses.add((await other.call('PATCH', '/customers/1', { body: { fax: '1' } })).status);
    return statuses;
  }

  test('While exports of one merchant hang, more exports return 503 and other merchants are served', async () => {
    s3.inject(name, every('keep waiting'));
    const refusals: unknown[] = [];
    const exports = Array.from({ length: 5 * EXPORTS_AT_ONCE }, async () => {
      const { status, body } = await flooding.call('GET', '/customers/export/csv');
      if (status === 503) refusals.push(body);
      return status;
    });
    expect(await statusesOfOther()).toEqual(new Set([200]));
    await vi.waitFor(() => expect(refusals).toHaveLength(4 * EXPORTS_AT_ONCE));
    expect(new Set(refusals.map((body) => JSON.stringify(body)))).toEqual(
      new Set(['{"message":"Service Unavailable"}']),
    );
    s3.heal(name);
    const made = (await Promise.all(exports)).filter((status) => status === 200);
    expect(made).toHaveLength(EXPORTS_AT_ONCE);
  });

  test('While the partition of one merchant is throttled, other merchants are served', async () => {
    dynamodb.inject(name, every(dynamodbError(400, 'ProvisionedThroughputExceededException')));
    const calls = Array.from({ length: TAKEN_ON }, () => flooding.call('GET', '/customers/1'));
    expect(await statusesOfOther()).toEqual(new Set([200]));
    for (const { status } of await Promise.all(calls)) expect(status).toBe(503);
    dynamodb.heal(name);
    expect((await flooding.call('GET', '/customers/1')).status).toBe(200);
  });
});
