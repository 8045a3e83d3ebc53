import { describe, expect, test } from 'vitest';
import { KeyTable } from '../../shared/imports/key-table.ts';

const ROWS = 100_000;

describe('The keys of a file', () => {
  test('are found again, with the rows that have the same one', () => {
    const table = new KeyTable();
    for (const key of ['a', 'b', undefined, 'a', 'c', 'a']) table.add(key);
    table.complete((row) => row === 3);
    table.note('a', 7);
    table.note('a', 9);
    table.note('x', 8);
    expect([...table.sameKey(0)]).toEqual([3, 0, 5]);
    expect([...table.sameKey(1)]).toEqual([1]);
    expect([...table.sameKey(2)]).toEqual([]);
    for (const row of [0, 3, 5]) expect(table.customers(row)).toEqual([7, 9]);
    expect(table.customers(4)).toEqual([]);
  });

  test('are found without passing over other rows, also if all rows have one key', () => {
    const table = new KeyTable();
    for (let row = 0; row < ROWS; row += 1) table.add('one company');
    const leads = (row: number) => row >= ROWS / 2;
    table.complete(leads);
    let passed = 0;
    for (let row = 0; row < ROWS; row += 1) {
      let found = 0;
      for (const other of table.sameKey(row)) {
        passed += 1;
        found += 1;
        if (!leads(other) || found > 10) break;
      }
    }
    expect(passed).toBeLessThanOrEqual(11 * ROWS);
  });
});
