import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import type { AppliedRow, FieldChanges, PlannedRow } from '../../shared/domain/import.ts';
import {
  CUSTOMER_INDEX,
  IMPORT_MARK,
  partitionKey,
  rawCustomerKey,
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
import { dynamodbError, every, first, firstLate, useProxyOf } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

type Apply = typeof import('../../shared/imports/apply-rows.ts');
type Undo = typeof import('../../shared/imports/undo-rows.ts');

const dynamodb = useProxyOf('dynamodb');

let applyRows: Apply['applyRows'];
let undoRows: Undo['undoRows'];
beforeAll(async () => {
  if (!isLocal) return;
  quiet();
  ({ applyRows } = await import('../../shared/imports/apply-rows.ts'));
  ({ undoRows } = await import('../../shared/imports/undo-rows.ts'));
});

const THROTTLED = dynamodbError(400, 'ProvisionedThroughputExceededException');
const AWAY = dynamodbError(500, 'InternalServerError');

/** As fast as the local server is. */
const options = { unitsPerSecond: Number.POSITIVE_INFINITY };

describe.runIf(isLocal).concurrent('Applying an import', () => {
  /** A merchant, and one import of theirs. */
  async function newImport() {
    const name = crypto.randomUUID();
    const merchant = await newMerchant(0, { merchant: name });
    const importId = crypto.randomUUID();
    return {
      name,
      importId,
      merchant,
      apply: (rows: readonly PlannedRow[]) =>
        applyRows(name, importId, rows, { ...options, references: {} }),
      undo: (rows: readonly AppliedRow[]) => undoRows(name, importId, rows, options),
    };
  }

  async function customersOf(merchant: Client): Promise<Record<string, string | number>[]> {
    return (await merchant.call('GET', '/customers?limit=1000')).body;
  }

  const creation = (row: number, customerid: string, fields: CustomerFields = {}): PlannedRow => ({
    row,
    outcome: 'create',
    fields: { customerid, ...fields },
    key: { field: 'customerid', value: customerid },
  });
  const update = (row: number, id: number, changes: FieldChanges, version = 1): PlannedRow => ({
    row,
    outcome: 'update',
    id,
    version,
    changes,
  });

  test('It creates and updates customers as planned, and undoing it restores what was before', async () => {
    const { merchant, apply, undo } = await newImport();
    const before = await create(merchant, { customerid: 'K1', name: 'A', address: 'B' });
    const id = before.mexcParamvaluesetsid;
    const applied = await apply([
      update(2, id, { name: ['A', 'C'], address: ['B', ''], email: ['', 'a@example.com'] }),
      creation(3, 'K2', { name: 'D' }),
      { row: 4, outcome: 'unchanged', id },
      { row: 5, outcome: 'skipped', code: 'mode', detail: '' },
    ]);
    expect(applied).toEqual([
      {
        row: 2,
        result: 'updated',
        id,
        version: 2,
        before: { name: 'A', address: 'B', email: '' },
      },
      { row: 3, result: 'created', id: 2, customerid: 'K2' },
      { row: 4, result: 'unchanged' },
      { row: 5, result: 'leftOut' },
    ]);
    const { address: _, ...kept } = before;
    expect(await customersOf(merchant)).toMatchObject([
      { ...kept, name: 'C', email: 'a@example.com', address: '' },
      { mexcParamvaluesetsid: 2, customerid: 'K2', name: 'D' },
    ]);
    expect(await undo(applied)).toEqual([
      { row: 2, result: 'restored' },
      { row: 3, result: 'removed' },
    ]);
    expect(await customersOf(merchant)).toEqual([before]);
  });

  /** The result of a row. */
  const resultsOf = (rows: readonly { readonly result: string }[]) =>
    rows.map(({ result }) => result);

  test('A step that is run again writes nothing and has the same results', async () => {
    const { merchant, apply, undo } = await newImport();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A', notes: 'B' });
    const rows = [
      update(2, id, { name: ['A', 'C'], notes: ['B', ''], email: ['', 'a@example.com'] }),
      creation(3, 'K1'),
      { row: 4, outcome: 'create', fields: { name: 'D' } } as const,
    ];
    const applied = await apply(rows);
    const customers = await customersOf(merchant);
    expect(await apply(rows)).toEqual(applied);
    expect(await customersOf(merchant)).toEqual(customers);
    expect(resultsOf(await undo(applied))).toEqual(['restored', 'removed', 'removed']);
    const restored = await customersOf(merchant);
    expect(resultsOf(await undo(applied))).toEqual(['restored', 'removed', 'removed']);
    expect(await customersOf(merchant)).toEqual(restored);
    expect(resultsOf(await apply(rows))).toEqual(['unclear', 'created', 'created']);
    expect(await customersOf(merchant)).toEqual(restored);
  });

  test('A customer that was deleted between two runs of a step stays deleted', async () => {
    const { merchant, apply } = await newImport();
    const rows = [creation(2, 'K1'), { row: 3, outcome: 'create', fields: { name: 'A' } } as const];
    const applied = await apply(rows);
    expect((await merchant.call('DELETE', '/customers', { body: [1, 2] })).body.count).toBe(2);
    expect(await apply(rows)).toEqual(applied);
    expect(await customersOf(merchant)).toEqual([]);
  });

  test('A customer that others have changed since the plan is left as it is', async () => {
    const { merchant, apply } = await newImport();
    const ids: number[] = [];
    for (const name of ['A', 'A', 'A']) {
      ids.push((await create(merchant, { name })).mexcParamvaluesetsid);
    }
    const [changed = 0, deleted = 0, changedTwice = 0] = ids;
    await merchant.call('PATCH', `/customers/${changed}`, { body: { name: 'B' } });
    await merchant.call('DELETE', `/customers/${deleted}`);
    for (const name of ['B', 'C']) {
      await merchant.call('PATCH', `/customers/${changedTwice}`, { body: { name } });
    }
    const customers = await customersOf(merchant);
    const rows = ids.map((id, index) => update(2 + index, id, { name: ['A', 'D'] }));
    expect(resultsOf(await apply(rows))).toEqual(ids.map(() => 'changedMeanwhile'));
    expect(await customersOf(merchant)).toEqual(customers);
  });

  test('Undoing leaves what others have changed since, and its result says so', async () => {
    const { merchant, apply, undo } = await newImport();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const applied = await apply([update(2, id, { name: ['A', 'B'] }), creation(3, 'K1')]);
    for (const customer of [id, 2]) {
      await merchant.call('PATCH', `/customers/${customer}`, { body: { notes: 'C' } });
    }
    const customers = await customersOf(merchant);
    expect(resultsOf(await undo(applied))).toEqual(['changedMeanwhile', 'changedMeanwhile']);
    expect(await customersOf(merchant)).toEqual(customers);
  });

  test('A row whose key another customer has by now creates none', async () => {
    const { merchant, apply } = await newImport();
    const customers = [
      await create(merchant, { customerid: 'K1' }),
      await create(merchant, { companyno: '556703-7485' }),
      (await merchant.call('PUT', '/customers/by-customerid/K2', { body: { name: 'A' } })).body,
    ];
    // A retry of the SDK leaves a gap in them.
    const ids = customers.map(({ mexcParamvaluesetsid }) => mexcParamvaluesetsid);
    const rows: PlannedRow[] = [
      creation(2, ' K1'),
      {
        row: 3,
        outcome: 'create',
        fields: { companyno: '5567037485' },
        key: { field: 'companyno', value: '5567037485' },
      },
      creation(4, 'K2'),
      creation(5, 'K3'),
      creation(6, 'K3 '),
    ];
    await eventually(async () => {
      const { body } = await merchant.call('GET', '/customers?companyno=5567037485');
      expect(body).toHaveLength(1);
    });
    expect(await apply(rows)).toEqual([
      { row: 2, result: 'changedMeanwhile', id: ids[0] },
      { row: 3, result: 'changedMeanwhile', id: ids[1] },
      { row: 4, result: 'changedMeanwhile', id: ids[2] },
      { row: 5, result: 'created', id: expect.any(Number), customerid: 'K3' },
      { row: 6, result: 'changedMeanwhile' },
    ]);
    expect(await customersOf(merchant)).toHaveLength(4);
  });

  test('A customerid whose claim is stale is claimed for the imported customer', async () => {
    const { merchant, apply } = await newImport();
    await merchant.call('PUT', '/customers/by-customerid/K', { body: { name: 'A' } });
    await merchant.call('PATCH', '/customers/1', { body: { customerid: 'L' } });
    await eventually(async () => {
      expect((await merchant.call('GET', '/customers?customerid=K')).body).toEqual([]);
    });
    const [applied] = await apply([creation(2, 'K', { name: 'B' })]);
    expect(applied).toMatchObject({ result: 'created' });
    const put = await merchant.call('PUT', '/customers/by-customerid/K', { body: { name: 'C' } });
    expect([put.status, put.body.mexcParamvaluesetsid]).toEqual([200, 2]);
  });

  test('Imports and PUTs of the same customerids at once create one customer of each', async () => {
    const [one, other] = await Promise.all([newImport(), newImport()]);
    const { name, merchant } = one;
    const ids = Array.from({ length: 40 }, (_, index) => `K${index}`);
    const rows = ids.map((id, index) => creation(2 + index, id));
    const rival = (rows: readonly PlannedRow[]) =>
      applyRows(name, crypto.randomUUID(), rows, { ...options, references: {} });
    const [first, second] = await Promise.all([
      one.apply(rows),
      rival(rows),
      ...ids
        .slice(20)
        .map((id) =>
          merchant.call('PUT', `/customers/by-customerid/${id}`, { body: { name: 'A' } }),
        ),
    ]);
    const customers = await customersOf(merchant);
    expect(customers.map(({ customerid }) => customerid).sort()).toEqual([...ids].sort());
    for (const [index, result] of first.entries()) {
      const created = [result, second[index]].filter((row) => row?.result === 'created');
      expect(created.length).toBeLessThanOrEqual(1);
      if (index < 20) expect(created).toHaveLength(1);
    }
    expect(await customersOf(other.merchant)).toEqual([]);
  });

  test('Undoing frees the customerids that the import has claimed', async () => {
    const { name, merchant, apply, undo } = await newImport();
    const applied = await apply([creation(2, 'K', { name: 'A' })]);
    await undo(applied);
    const { body } = await merchant.call('GET', '/customers');
    expect(body).toEqual([]);
    expect(await keysOf(name)).not.toContainEqual(expect.stringMatching(/^CLAIM#/));
    const put = await merchant.call('PUT', '/customers/by-customerid/K', { body: { name: 'B' } });
    expect(put.status).toBe(201);
  });

  /** Returns the sort keys of a merchant's items. */
  async function keysOf(merchantId: string): Promise<string[]> {
    const { Items = [] } = await table().send(
      new QueryCommand({
        TableName: localStack().table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: partitionKey(merchantId) } },
        ProjectionExpression: 'sk',
      }),
    );
    return Items.map(({ sk }) => sk?.S ?? '');
  }

  const table = () => new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });

  test('The mark of an import shows nowhere, is not in the index, and goes with the next change', async () => {
    const { name, merchant, apply } = await newImport();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const before = await merchant.call('GET', `/customers/${id}`);
    await apply([update(2, id, { name: ['A', 'B'] })]);
    const item = async () => {
      const Key = rawCustomerKey(name, id);
      const get = new GetItemCommand({ TableName: localStack().table, Key });
      return (await table().send(get)).Item;
    };
    expect((await item())?.[IMPORT_MARK]?.B).toHaveLength(8);
    const { Items } = await table().send(
      new QueryCommand({
        TableName: localStack().table,
        IndexName: CUSTOMER_INDEX.name,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: partitionKey(name) } },
      }),
    );
    expect(Items).toHaveLength(1);
    expect(Items?.[0]).not.toHaveProperty(IMPORT_MARK);
    const after = await merchant.call('GET', `/customers/${id}`);
    expect(after.body).toEqual({ ...before.body, name: 'B' });
    expect((await merchant.call('GET', '/customers')).body).toEqual([after.body]);
    await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'C' } });
    expect(await item()).not.toHaveProperty(IMPORT_MARK);
  });

  test('A lost response to a write is not taken for a change by others', async () => {
    const { name, merchant, apply, undo } = await newImport();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    const lose = (operation: RegExp) =>
      dynamodb.inject(name, first(1, 'lose the answer', operation));
    lose(/^PutItem .*CUSTOMER#/);
    const updated = await apply([update(2, id, { name: ['A', 'B'] })]);
    expect(updated).toEqual([{ row: 2, result: 'updated', id, version: 2, before: { name: 'A' } }]);
    lose(/^PutItem .*CUSTOMER#/);
    expect(resultsOf(await undo(updated))).toEqual(['restored']);
    lose(/^TransactWriteItems/);
    const created = await apply([creation(3, 'K')]);
    expect(resultsOf(created)).toEqual(['created']);
    lose(/^DeleteItem .*CUSTOMER#/);
    expect(resultsOf(await undo(created))).toEqual(['removed']);
    expect(await customersOf(merchant)).toMatchObject([{ mexcParamvaluesetsid: id, name: 'A' }]);
  });

  test('A creation that lands late does not bring back a customer that was deleted meanwhile', async () => {
    const { name, merchant, apply } = await newImport();
    const { faults, landed } = firstLate(/^TransactWriteItems/);
    dynamodb.inject(name, faults);
    const rows = [creation(2, 'K')];
    expect(resultsOf(await apply(rows))).toEqual(['created']);
    const [customer] = await customersOf(merchant);
    const path = `/customers/${customer?.mexcParamvaluesetsid}`;
    expect((await merchant.call('DELETE', path)).status).toBe(200);
    await apply(rows);
    await landed;
    expect(await customersOf(merchant)).toEqual([]);
  });

  test('A throttled table makes a step slower, and its results are the same', async () => {
    const { name, merchant, apply } = await newImport();
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
    // More than the SDK tries.
    dynamodb.inject(name, first(6, THROTTLED, /CUSTOMER#/));
    const applied = await apply([update(2, id, { name: ['A', 'B'] }), creation(3, 'K')]);
    expect(resultsOf(applied)).toEqual(['updated', 'created']);
  });

  test.each([/^PutItem .*CUSTOMER#/, /^TransactWriteItems/, /^BatchGetItem/])(
    'A step fails if %s is not answered, and the next run completes it',
    async (operation) => {
      const { name, merchant, apply } = await newImport();
      const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'A' });
      const rows = [
        update(2, id, { name: ['A', 'B'] }),
        ...Array.from({ length: 60 }, (_, index) => creation(3 + index, `K${index}`)),
      ];
      dynamodb.inject(name, every(AWAY, operation));
      await expect(apply(rows)).rejects.toThrow();
      dynamodb.inject(name, every('lose the answer', operation));
      await expect(apply(rows)).rejects.toThrow();
      dynamodb.heal(name);
      const applied = await apply(rows);
      expect(new Set(resultsOf(applied.slice(1)))).toEqual(new Set(['created']));
      expect(applied[0]?.result).toBe('updated');
      const customers = await customersOf(merchant);
      expect(customers).toHaveLength(61);
      const ids = applied.slice(1).map((row) => row.result === 'created' && row.id);
      expect(new Set(ids).size).toBe(60);
    },
  );

  /** Runs a step in a process that is killed at its nth request, which is executed or not. */
  async function runUntilKilled(
    merchantId: string,
    importId: string,
    rows: readonly PlannedRow[],
    { nth, isExecuted }: { readonly nth: number; readonly isExecuted: boolean },
  ): Promise<void> {
    const module = new URL('../../shared/imports/apply-rows.ts', import.meta.url);
    const code = `import { json } from 'node:stream/consumers';
      import { applyRows } from '${module}';
      await applyRows(...(await json(process.stdin)));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
    child.stdin.end(JSON.stringify([merchantId, importId, rows, { references: {} }]));
    const exit = once(child, 'exit');
    let requests = 0;
    dynamodb.inject(merchantId, () => {
      requests += 1;
      if (requests < nth) return undefined;
      if (isExecuted && requests === nth) {
        // Others that are under way go on as well.
        setTimeout(20).then(() => child.kill('SIGKILL'));
        return 'lose the answer';
      }
      child.kill('SIGKILL');
      return 'hang up';
    });
    expect(await exit).toEqual([null, 'SIGKILL']);
    dynamodb.heal(merchantId);
  }

  // The step sends its begin, a read, two writes, three look-ups, an increment and two transactions.
  test.each([
    { nth: 2, isExecuted: false },
    { nth: 3, isExecuted: true },
    { nth: 5, isExecuted: true },
    { nth: 9, isExecuted: true },
    { nth: 10, isExecuted: true },
    { nth: 10, isExecuted: false },
  ])(
    'A step whose process is killed by SIGKILL is completed by the next run ($nth, $isExecuted)',
    async (kill) => {
      const { name, importId, merchant, apply, undo } = await newImport();
      const ids: number[] = [];
      for (const customer of [{ name: 'A' }, { name: 'A' }]) {
        ids.push((await create(merchant, customer)).mexcParamvaluesetsid);
      }
      const before = await customersOf(merchant);
      // More than a transaction has.
      const large = { notes: 'å'.repeat(9_000), statuslog: 'å'.repeat(9_000) };
      const rows = [
        ...ids.map((id, index) => update(2 + index, id, { name: ['A', 'B'] })),
        creation(4, 'K1', large),
        creation(5, 'K2', large),
        { row: 6, outcome: 'create', fields: { name: 'C', ...large } } as const,
        creation(7, 'K3', large),
      ];
      await runUntilKilled(name, importId, rows, kill);
      const applied = await apply(rows);
      expect(resultsOf(applied)).toEqual([
        ...ids.map(() => 'updated'),
        ...Array(4).fill('created'),
      ]);
      const customers = await customersOf(merchant);
      expect(customers.map(({ name, customerid }) => customerid || name).sort()).toEqual([
        'B',
        'B',
        'C',
        'K1',
        'K2',
        'K3',
      ]);
      await undo(applied);
      expect(await customersOf(merchant)).toEqual(before);
    },
  );

  test('Other merchants are not touched', async () => {
    const [one, other] = await Promise.all([newImport(), newImport()]);
    await create(other.merchant, { name: 'A' });
    const before = await customersOf(other.merchant);
    const applied = await one.apply([update(2, 1, { name: ['A', 'B'] }), creation(3, 'K')]);
    expect(resultsOf(applied)).toEqual(['changedMeanwhile', 'created']);
    await other.undo(applied);
    expect(await customersOf(one.merchant)).toHaveLength(1);
    expect(await customersOf(other.merchant)).toEqual(before);
  });
});
