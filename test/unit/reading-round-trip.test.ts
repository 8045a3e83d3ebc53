import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChanges, type CustomerFields } from '../../shared/domain/customer.ts';
import type { FormatChoice } from '../../shared/domain/export.ts';
import { FIELDS, type FieldName } from '../../shared/domain/fields.ts';
import { customers as anyCustomer } from '../support/arbitraries.ts';
import { exportFile } from '../support/export-file.ts';
import { iterations } from '../support/iterations.ts';
import { cutAt, inPiecesOf, readAll } from '../support/reading.ts';

const exported = async (choice: FormatChoice, customers: readonly CustomerFields[]) => {
  const rows = customers.map((fields, index) => ({
    system: { mexcParamvaluesetsid: index + 1, date: '2026-11-29T08:30:00.123Z', mexcModulesid: 7 },
    fields: applyChanges({}, fields),
    version: 3,
    updated: '2026-11-29T09:00:00.000Z',
  }));
  const pieces: Buffer[] = [];
  for await (const piece of exportFile(choice, rows)) pieces.push(piece);
  return Buffer.concat(pieces);
};

const columns = fc.option(
  fc
    .shuffledSubarray(
      FIELDS.map(({ name }) => name),
      { minLength: 1 },
    )
    .map((names): FieldName[] => [...new Set<FieldName>(['mexcParamvaluesetsid', ...names])]),
  { nil: undefined },
);
const headers = fc.constantFrom('api', 'sv');
const choices: fc.Arbitrary<FormatChoice> = fc.oneof(
  fc.record({
    name: fc.constant('csv' as const),
    delimiter: fc.constantFrom('comma', 'semicolon'),
    bom: fc.boolean(),
    formulas: fc.constantFrom('escape', 'keep'),
    columns,
    headers,
  }),
  fc.record({ name: fc.constant('xlsx' as const), columns, headers }),
  fc.constant({ name: 'xml' } as const),
  fc.constant({ name: 'jsonl' } as const),
);

describe('An exported file', () => {
  test('is read as the customers that were exported, with any options', async () => {
    await fc.assert(
      fc.asyncProperty(
        choices,
        fc.array(anyCustomer, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 200 }),
        async (choice, customers, size) => {
          const bytes = await exported(choice, customers);
          const keeps = choice.name === 'csv' && choice.formulas === 'keep';
          const file = await readAll(inPiecesOf(size, bytes), {
            format: choice.name,
            formulas: keeps ? 'keep' : 'guarded',
          });
          const names = ('columns' in choice && choice.columns) || FIELDS.map(({ name }) => name);
          expect(file.unknownColumns).toEqual([]);
          expect(file.rows.map(({ faults }) => faults)).toEqual(customers.map(() => []));
          expect(file.rows.map(({ id }) => id)).toEqual(customers.map((_, index) => index + 1));
          expect(file.rows.map(({ fields }) => applyChanges({}, fields))).toEqual(
            customers.map((fields) =>
              Object.fromEntries(
                Object.entries(applyChanges({}, fields)).filter(([name]) =>
                  names.includes(name as FieldName),
                ),
              ),
            ),
          );
        },
      ),
      { numRuns: iterations({ short: 60, long: 2_000 }) },
    );
  });
});

describe('Wherever the pieces of a file end', () => {
  const CUSTOMERS = [
    { customerid: 'K7', name: 'Å "b" & <c>\r\n😀; d', notes: '=1+1' },
    { customerid: '00042', name: "'=x", notes: '' },
  ];
  const COLUMNS: FieldName[] = ['mexcParamvaluesetsid', 'customerid', 'name', 'notes'];

  test.each<FormatChoice>([
    { name: 'csv', delimiter: 'semicolon', bom: true, headers: 'sv', columns: COLUMNS },
    { name: 'csv', delimiter: 'comma', bom: false, columns: COLUMNS },
    { name: 'xml' },
    { name: 'jsonl' },
  ])('a file of $name is read as a whole', async (choice) => {
    const bytes = await exported(choice, CUSTOMERS);
    const { rows } = await readAll(bytes, { format: choice.name });
    expect(rows).toMatchObject(CUSTOMERS.map((fields) => ({ fields: applyChanges({}, fields) })));
    const step = iterations({ short: 5, long: 1 });
    for (let cut = 1; cut < bytes.length; cut += step) {
      const read = await readAll(cutAt(bytes, cut), { format: choice.name });
      expect(read.rows, `cut at ${cut}`).toEqual(rows);
    }
  });
});
