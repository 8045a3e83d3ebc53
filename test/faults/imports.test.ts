import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiResponse, type Client, isLocal, newMerchant, useApi } from '../support/api.ts';
import { useExportWorker } from '../support/export-worker.ts';
import { dynamodbError, every } from '../support/fault-proxy.ts';
import { apply, csvOf, importFile, pathOf, rowsOf, undo } from '../support/imports.ts';
import { quiet } from '../support/logs.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi({ recordChanges: false });

/** More than two steps of a plan. */
const ROWS = 2_200;
const ASYNC = { prefer: 'respond-async' };

describe.runIf(isLocal)('An import', () => {
  const worker = useExportWorker(100);

  beforeAll(() => {
    quiet();
  });

  /** Plans an import that creates customers. */
  async function plannedImport(merchant: Client, rows = ROWS): Promise<ApiResponse> {
    const keys = Array.from({ length: rows }, (_, index) => [`K${index}`, `Ek ${index}`]);
    const started = await importFile(
      merchant,
      csvOf([['customerid', 'name'], ...keys]),
      undefined,
      ASYNC,
    );
    return reaching(merchant, started, ({ state }) => state === 'planned');
  }

  async function reaching(
    merchant: Client,
    started: ApiResponse,
    isThere: (body: { state: string; rowsDone: number }) => boolean,
  ): Promise<ApiResponse> {
    return vi.waitFor(
      async () => {
        const response = await merchant.call('GET', pathOf(started));
        expect(isThere(response.body), JSON.stringify(response.body)).toBe(true);
        return response;
      },
      { timeout: 100_000, interval: 50 },
    );
  }

  const countOf = async (merchant: Client) =>
    (await merchant.call('GET', '/customers/count')).body.count;

  test('in the background continues after the machine was switched off, and creates each customer once', async () => {
    const merchant = await newMerchant();
    const planned = await plannedImport(merchant);
    const applying = await apply(merchant, planned, {}, ASYNC);
    expect(applying.status).toBe(202);
    await vi.waitFor(async () => expect(await countOf(merchant)).toBeGreaterThan(50), {
      timeout: 30_000,
      interval: 20,
    });
    await worker.stop();
    const interrupted = await merchant.call('GET', pathOf(planned));
    expect(interrupted.body.state).toBe('applying');
    await worker.restart();
    const applied = await reaching(merchant, planned, ({ state }) => state === 'applied');
    const { created, unclear } = applied.body.results;
    expect([created, unclear]).toEqual([ROWS, 0]);
    await vi.waitFor(async () => expect(await countOf(merchant)).toBe(ROWS), { timeout: 10_000 });
  }, 180_000);

  test('that is stopped keeps what it has applied, is continued by the same call, and is undone as a whole', async () => {
    const merchant = await newMerchant();
    const planned = await plannedImport(merchant);
    await apply(merchant, planned, {}, ASYNC);
    await reaching(merchant, planned, ({ rowsDone }) => rowsDone >= 1_000);
    const stopped = await merchant.call('DELETE', pathOf(planned));
    expect(stopped.body).toMatchObject({ state: 'stopped', reason: { code: 'stoppedByRequest' } });
    const { rowsDone } = (await reaching(merchant, planned, ({ state }) => state === 'stopped'))
      .body;
    expect(rowsDone).toBeLessThan(ROWS);
    expect((await apply(merchant, planned)).status).toBe(202);
    const applied = await reaching(merchant, planned, ({ state }) => state === 'applied');
    expect(applied.body.results).toMatchObject({ created: ROWS, unclear: 0 });
    expect((await undo(merchant, planned)).status).toBe(202);
    const undone = await reaching(merchant, planned, ({ state }) => state === 'undone');
    expect(undone.body.undone).toMatchObject({ removed: ROWS });
    expect((await merchant.call('GET', '/customers?limit=1')).body).toEqual([]);
  }, 180_000);

  test('in a call whose function has died reads as stopped after a minute', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const rows = ['K0', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    const begun = Promise.withResolvers<void>();
    worker.dynamodb.inject(name, ({ operation }) => {
      if (!/^TransactWriteItems/.test(operation)) return undefined;
      begun.resolve();
      return { delayMs: 3_000 };
    });
    const applying = apply(merchant, planned);
    await begun.promise;
    expect((await merchant.call('GET', pathOf(planned))).body.state).toBe('applying');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const later = await merchant.call('GET', pathOf(planned));
    vi.useRealTimers();
    expect(later.body).toMatchObject({ state: 'stopped', reason: { code: 'interrupted' } });
    // This one was slow, and not dead.
    expect((await applying).body).toMatchObject({ state: 'applied' });
    worker.dynamodb.heal(name);
  }, 60_000);

  test('whose function is late applies nothing once the import was stopped and undone', async () => {
    const { name, merchant } = await newMerchantWith(1, () => ({ customerid: 'K0' }));
    const rows = ['K0', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    const begun = Promise.withResolvers<void>();
    worker.s3.inject(name, ({ operation }) => {
      if (!/^PUT \S+begun\.json/.test(operation)) return undefined;
      begun.resolve();
      return { delayMs: 3_000 };
    });
    const applying = apply(merchant, planned);
    await begun.promise;
    expect((await merchant.call('DELETE', pathOf(planned))).body.state).toBe('stopped');
    expect((await undo(merchant, planned)).body.state).toBe('undone');
    await applying;
    worker.s3.heal(name);
    const { body } = await merchant.call('GET', '/customers');
    expect(body).toMatchObject([{ customerid: 'K0', name: '' }]);
    expect((await merchant.call('GET', pathOf(planned))).body.state).toBe('undone');
  }, 60_000);

  test('in a call that cannot reach the table is stopped with nothing lost, and is undone as a whole', async () => {
    const { name, merchant } = await newMerchantWith(3, (index) => ({ customerid: `K${index}` }));
    const rows = ['K0', 'K1', 'K2', 'NEW'].map((key) => [key, `Ek ${key}`]);
    const planned = await importFile(merchant, csvOf([['customerid', 'name'], ...rows]));
    expect(planned.body.counts).toMatchObject({ update: 3, create: 1 });
    const refused = dynamodbError(400, 'ProvisionedThroughputExceededException');
    worker.dynamodb.inject(name, every(refused, /^TransactWriteItems/));
    const failed = await apply(merchant, planned);
    worker.dynamodb.heal(name);
    expect(failed.status).toBe(503);
    const stopped = await merchant.call('GET', pathOf(planned));
    expect(stopped.body).toMatchObject({ state: 'stopped', reason: { code: 'outage' } });
    const undone = await undo(merchant, planned);
    expect(undone.body).toMatchObject({ state: 'undone', undone: { restored: 3, removed: 1 } });
    const outcomes = await rowsOf(merchant, planned);
    expect(outcomes.map((row: { result: string }) => row.result)).toEqual([
      'updated',
      'updated',
      'updated',
      'created',
    ]);
    const { body } = await merchant.call('GET', '/customers');
    expect(body.map((customer: { name: string }) => customer.name)).toEqual(['', '', '']);
  }, 60_000);
});
