import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import type { AppliedRow, FieldChanges, PlannedRow } from '../../shared/domain/import.ts';
import { type Client, create, isLocal, newMerchant, useApi } from '../support/api.ts';
import { type FaultProxy, startProxyOf } from '../support/fault-proxy.ts';
import { quiet } from '../support/logs.ts';

// Its requests would pass the proxies, too.
useApi({ recordChanges: false });

type Apply = typeof import('../../shared/imports/apply-rows.ts');
type Undo = typeof import('../../shared/imports/undo-rows.ts');

let dynamodb: FaultProxy;
let applyRows: Apply['applyRows'];
let undoRows: Undo['undoRows'];
beforeAll(async () => {
  if (!isLocal) return;
  quiet();
  dynamodb = await startProxyOf('dynamodb');
  ({ applyRows } = await import('../../shared/imports/apply-rows.ts'));
  ({ undoRows } = await import('../../shared/imports/undo-rows.ts'));
});
afterAll(async () => {
  await dynamodb?.close();
});

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
        before: { customerid: 'K1', name: 'A', address: 'B' },
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
});
