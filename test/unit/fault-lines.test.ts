import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RowFault } from '../../shared/domain/import.ts';
import { faultLines, withFaults } from '../../shared/imports/fault-lines.ts';
import { iterations } from '../support/iterations.ts';

const NAME: RowFault = { column: 'Namn', field: 'name', code: 'tooLong', detail: 'too long' };
const FAX: RowFault = { column: 'Fax', field: 'fax', code: 'tooLong', detail: 'too long' };

const written = (rows: readonly object[]) => rows.map(faultLines());
const read = (lines: readonly string[]) => withFaults(lines.map((line) => JSON.parse(line)));

describe('A stored file of rows', () => {
  test('has a fault once, and then its number', () => {
    const lines = written([
      { row: 2, faults: [NAME, FAX] },
      { row: 3, faults: [FAX], doubts: [NAME] },
    ]);
    expect(lines[1]).toBe('{"row":3,"faults":[1],"doubts":[0]}\n');
  });

  test('is read as its rows were, whatever faults they share', () => {
    const fault = fc.record({ code: fc.string(), detail: fc.string(), column: fc.string() });
    const file = fc.array(fault, { minLength: 1, maxLength: 5 }).chain((faults) => {
      const some = fc.array(fc.constantFrom(...faults), { maxLength: 6 });
      const row = fc.record(
        { row: fc.nat(), faults: some, doubts: some, errors: some, cells: fc.array(fc.string()) },
        { requiredKeys: ['row'] },
      );
      return fc.array(row);
    });
    fc.assert(
      fc.property(file, (rows) => {
        expect(read(written(rows))).toEqual(rows);
      }),
      { numRuns: iterations({ short: 100, long: 2_000 }) },
    );
  });

  test('is JSON of the rows as they are if they share no fault', () => {
    const rows = [
      { row: 2, outcome: 'create', fields: { name: 'Ek AB' } },
      { row: 3, outcome: 'invalid', errors: [NAME, FAX], name: undefined, cells: ['a'] },
      { row: 4, id: 1, fields: {}, faults: [], cells: [] },
    ];
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
    expect(written(rows)).toEqual(lines);
    expect(read(lines)).toEqual(rows.map((row) => JSON.parse(JSON.stringify(row))));
  });
});
