import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
import { dynamodbError, first, firstLate, useProxyOf } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

const WRITES_OF_CUSTOMERS = /^(?:PutItem|TransactWriteItems|DeleteItem) .*CUSTOMER#/s;

const dynamodb = useProxyOf('dynamodb');
beforeAll(quiet);

describe.runIf(isLocal).concurrent('Late writes', () => {
  /** Creates a merchant whose first write of a customer arrives late, once `begin` is called. */
  async function merchantWithLateWrite() {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const { faults, begun, landed } = firstLate(WRITES_OF_CUSTOMERS);
    return { merchant, begun, landed, begin: () => dynamodb.inject(name, faults) };
  }

  async function expectGone(merchant: Client, id: number): Promise<void> {
    expectProblem(await merchant.call('GET', `/customers/${id}`), 404);
    expect((await merchant.call('GET', '/customers')).body).toEqual([]);
    expect((await merchant.call('GET', '/customers/count')).body).toEqual({ count: 0 });
  }

  test('A late write of POST does not restore a deleted customer', async () => {
    const { merchant, begin, landed } = await merchantWithLateWrite();
    begin();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    expect((await merchant.call('DELETE', `/customers/${id}`)).status).toBe(200);
    await landed;
    await expectGone(merchant, id);
  });

  test('A late write of POST with an Idempotency-Key does not restore a deleted customer', async () => {
    const { merchant, begin, landed } = await merchantWithLateWrite();
    begin();
    const headers = { 'idempotency-key': 'k' };
    const { body } = await merchant.call('POST', '/customers', { body: { name: 'A' }, headers });
    const id = body.mexcParamvaluesetsid;
    expect((await merchant.call('DELETE', '/customers', { body: [id] })).body.count).toBe(1);
    await landed;
    await expectGone(merchant, id);
  });

  test('A late write of POST that is retried with its Idempotency-Key does not restore a deleted customer', async () => {
    const { merchant, begin, begun, landed } = await merchantWithLateWrite();
    begin();
    const post = () =>
      merchant.call('POST', '/customers', {
        body: { name: 'A' },
        headers: { 'idempotency-key': 'k' },
      });
    const slow = post();
    await begun;
    const { body } = await post();
    const id = body.mexcParamvaluesetsid;
    expect((await merchant.call('DELETE', `/customers/${id}`)).status).toBe(200);
    expect((await slow).body).toEqual(body);
    await landed;
    await expectGone(merchant, id);
  });

  test('A late write of PATCH does not restore a deleted customer', async () => {
    const { merchant, begin, landed } = await merchantWithLateWrite();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    begin();
    const path = `/customers/${id}`;
    expect((await merchant.call('PATCH', path, { body: { name: 'B' } })).status).toBe(200);
    expect((await merchant.call('DELETE', path)).status).toBe(200);
    await landed;
    await expectGone(merchant, id);
  });

  test('A late deletion deletes no other customer', async () => {
    const { merchant, begin, landed } = await merchantWithLateWrite();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    begin();
    expect((await merchant.call('DELETE', `/customers/${id}`)).status).toBe(200);
    const next = await create(merchant, { name: 'B' });
    expect(next.mexcParamvaluesetsid).toBeGreaterThan(id);
    await landed;
    expect((await merchant.call('GET', '/customers')).body).toEqual([next]);
  });
});

describe.runIf(isLocal)('Lost responses to deletions', () => {
  async function merchantOfLostDeletes() {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const lost = first(1, 'lose the answer', /^DeleteItem/);
    return { merchant, id, loseNext: () => dynamodb.inject(name, lost) };
  }

  test('DELETE /customers counts a customer whose deletion response is lost', async () => {
    const { merchant, id, loseNext } = await merchantOfLostDeletes();
    loseNext();
    expect((await merchant.call('DELETE', '/customers', { body: [id] })).body.count).toBe(1);
    expectProblem(await merchant.call('GET', `/customers/${id}`), 404);
  });

  test('DELETE of one customer returns 200 if the deletion response is lost', async () => {
    const { merchant, id, loseNext } = await merchantOfLostDeletes();
    loseNext();
    expect((await merchant.call('DELETE', `/customers/${id}`)).status).toBe(200);
  });

  test('DELETE /customers does not count an id that never existed if a response is lost', async () => {
    const { merchant, id, loseNext } = await merchantOfLostDeletes();
    loseNext();
    const { body } = await merchant.call('DELETE', '/customers', { body: [id + 1, id + 2] });
    expect(body.count).toBe(0);
  });

  test('DELETE returns 404 for an id that never existed if a response is lost', async () => {
    const { merchant, id, loseNext } = await merchantOfLostDeletes();
    loseNext();
    expectProblem(await merchant.call('DELETE', `/customers/${id + 1}`), 404);
  });
});

describe.runIf(isLocal)('Interrupted bulk deletions', () => {
  test('DELETE /customers that is interrupted returns 503 with the count deleted, and a retry deletes the rest', async () => {
    const { name, merchant, ids } = await newMerchantWith(60);
    const allowed = new Set(ids.slice(0, 20));
    dynamodb.inject(name, ({ operation, body }) => {
      const id = Number(/CUSTOMER#(\d+)/.exec(body)?.[1]);
      return operation === 'DeleteItem' && !allowed.has(id)
        ? dynamodbError(400, 'ProvisionedThroughputExceededException')
        : undefined;
    });
    const interrupted = await merchant.call('DELETE', '/customers', { body: ids });
    dynamodb.heal(name);
    expect(interrupted.status).toBe(503);
    expect(interrupted.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    const { count, detail } = interrupted.body;
    expect(count).toBeGreaterThan(0);
    expect(detail).toContain(`${count} of 60 customers are deleted`);
    expect((await merchant.call('GET', '/customers?limit=100')).body).toHaveLength(60 - count);
    const again = await merchant.call('DELETE', '/customers', { body: ids });
    // The throttling has used up the SDK's retries: a busy machine can interrupt this one, too.
    if (again.status !== 503) expect(again.body).toEqual({ result: 'Removed', count: 60 - count });
    await eventually(async () => {
      const { body } = await merchant.call('DELETE', '/customers', { body: ids });
      expect(body).toEqual({ result: 'Removed', count: 0 });
    });
  });
});
