import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultLanguage } from '../../shared/domain/fault-texts.ts';
import type { FileRow, ReadOptions } from '../../shared/domain/import.ts';
import {
  type RejectedRow,
  type RejectedRowsOptions,
  rejectedRowsFile,
} from '../../shared/formats/rejected-rows.ts';
import { iterations } from '../support/iterations.ts';
import { readAll } from '../support/reading.ts';
import { textRow, workbookFile } from '../support/workbook-file.ts';

async function written(
  rows: readonly RejectedRow[],
  options: Partial<RejectedRowsOptions> = {},
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const file = rejectedRowsFile(
    (async function* () {
      yield rows;
    })(),
    {
      format: 'csv',
      language: 'sv',
      headings: ['Kundnr', 'Säljare', 'Mobil'],
      sent: { format: 'csv' },
      ...options,
    },
  );
  for await (const { bytes } of file) pieces.push(bytes);
  return Buffer.concat(pieces);
}

/** Returns what is wrong with a row of a new customer. */
const faultsOf = ({ faults, doubts = [] }: FileRow) => [...faults, ...doubts];

/** Reads a file, and returns its rows with faults as rows that are rejected. */
async function rejectedOf(file: Buffer | string, options: ReadOptions) {
  const { rows, columns } = await readAll(file, options);
  return {
    headings: columns.map(({ heading }) => heading),
    rows: rows
      .filter((row) => faultsOf(row).length > 0)
      .map(
        (row): RejectedRow => ({
          row: row.row,
          outcome: 'invalid',
          errors: faultsOf(row),
          cells: row.cells,
        }),
      ),
  };
}

/** Returns a row in which each of some columns has a text that is too long. */
const rowOfFaults = (row: number, columns: readonly string[]): RejectedRow => ({
  row,
  outcome: 'invalid',
  errors: columns.map((column) => ({
    column,
    code: 'tooLong',
    detail: '…',
    params: { maxLength: 255 },
  })),
  cells: columns.map(() => 'x'),
});

const INVALID: RejectedRow = {
  row: 17,
  outcome: 'invalid',
  errors: [
    { column: 'Mobil', field: 'mobile', code: 'shortenedNumber', detail: 'must not be …' },
    {
      column: 'Kundnr',
      field: 'customerid',
      code: 'tooLong',
      detail: '…',
      params: { maxLength: 255 },
    },
  ],
  cells: ['K;1', 'Eva', '7,3E+12'],
};

describe('A file of rejected rows', () => {
  test('has the columns that were sent, then row, column and error, in words for a bookkeeper', async () => {
    const text = (await written([INVALID])).toString();
    expect(text).toBe(
      [
        '\ufeffKundnr;Säljare;Mobil;radnummer;kolumn;fel',
        '"K;1";Eva;"7,3E+12";17;"Mobil, Kundnr";"Mobil: Kalkylprogrammet har förkortat ett långt nummer (7,3E+12). Formatera kolumnen som text och skriv numret igen. Kundnr: Texten är för lång. Högst 255 tecken."',
        '',
      ].join('\r\n'),
    );
  });

  test('is in English as well, and tells which customers an ambiguous row may mean', async () => {
    const rows: RejectedRow[] = [
      {
        row: 3,
        outcome: 'ambiguous',
        code: 'zerosLost',
        detail: '…',
        candidates: [7, 9],
        params: { field: 'customerid', value: '42', customers: '7, 9' },
        cells: ['42'],
      },
      {
        row: 4,
        outcome: 'skipped',
        code: 'customerExists',
        detail: '…',
        params: { customers: 7 },
        cells: ['43'],
      },
      { row: 5, outcome: 'skipped', code: 'fullMoon', detail: 'the moon is full', cells: ['44'] },
    ];
    const text = (await written(rows, { language: 'en' })).toString();
    expect(text.split('\r\n').slice(0, 4)).toEqual([
      '\ufeffKundnr,Säljare,Mobil,row,column,error',
      '42,,,3,,"The number may have lost leading zeros: no customer has customerid 42, but one has it with zeros (id 7 and 9). Enter it as text."',
      '43,,,4,,The customer exists already (id 7).',
      '44,,,5,,the moon is full',
    ]);
  });

  test.each<['csv' | 'xlsx', FaultLanguage]>([
    ['csv', 'sv'],
    ['csv', 'en'],
    ['xlsx', 'sv'],
    ['xlsx', 'en'],
  ])(
    'as %s in %s is read with the same faults, and without them once mended',
    async (format, language) => {
      const sent = `Kundnr;Säljare;Mobil\nK1;"'=1+1";7,3E+12\nK2;=2;#N/A;extra\n`;
      const { headings, rows } = await rejectedOf(sent, { format: 'csv' });
      const file = await written(rows, { format, language, headings });
      const again = await readAll(file, { format });
      expect(again.unknownColumns).toEqual(['Säljare']);
      expect(again.rows.map((row) => faultsOf(row).map(({ code }) => code))).toEqual(
        // In a workbook an error value is no text.
        format === 'csv'
          ? [['shortenedNumber'], ['tooManyCells', 'spreadsheetError']]
          : [['shortenedNumber'], ['tooManyCells']],
      );
      expect(again.rows[0]?.cells.slice(0, 3)).toEqual([
        'K1',
        format === 'csv' ? "'=1+1" : '=1+1',
        '7,3E+12',
      ]);
      if (format === 'xlsx') return;
      const mended = file.toString().replace('7,3E+12', '0701');
      expect((await readAll(mended, { format })).rows[0]).toMatchObject({
        fields: { customerid: 'K1', mobile: '0701' },
        faults: [],
      });
    },
  );

  test.each<['csv' | 'xlsx', FaultLanguage, FaultLanguage]>([
    ['csv', 'sv', 'sv'],
    ['xlsx', 'sv', 'en'],
    ['xlsx', 'en', 'sv'],
  ])(
    'as %s that is sent again in vain names what is wrong once, also in %s after %s',
    async (format, language, before) => {
      const sent = 'Kundnr;Säljare;Mobil\nK1;Eva;7,3E+12;extra\n';
      const first = await rejectedOf(sent, { format: 'csv' });
      const again = await rejectedOf(
        await written(first.rows, { ...first, format, language: before }),
        {
          format,
        },
      );
      expect(again.headings).toHaveLength(6);
      const sentAs = { format };
      const file = await written(again.rows, { ...again, format, language, sent: sentAs });
      const last = await rejectedOf(file, { format });
      const own = { sv: ['radnummer', 'kolumn', 'fel'], en: ['row', 'column', 'error'] };
      expect(last.headings).toEqual(['Kundnr', 'Säljare', 'Mobil', ...own[language]]);
      const [row] = last.rows as [RejectedRow];
      expect(row.cells).toHaveLength(7);
      expect(row.cells?.slice(0, 4)).toEqual(['K1', 'Eva', '7,3E+12', '2']);
      expect(row.cells?.at(-1)).toBe('extra');
    },
  );

  test('of any cells means the same when it is sent again', async () => {
    const cell = fc.string({
      unit: fc.constantFrom(...'\'=+-@;," \t\n\raå', '_x0041_'),
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(
        cell,
        fc.constantFrom('csv', 'xlsx'),
        fc.constantFrom('guarded', 'keep'),
        async (text, format, formulas) => {
          fc.pre(text !== '');
          const quoted = `"${text.replaceAll('"', '""')}"`;
          const sent = `Namn;Mobil\n${quoted};${'1'.repeat(256)}\n`;
          const { headings, rows } = await rejectedOf(sent, { format: 'csv', formulas });
          const meant = (await readAll(sent, { format: 'csv', formulas })).rows[0]?.fields.name;
          const file = await written(rows, { format, headings, sent: { format: 'csv', formulas } });
          const again = await readAll(file, { format, formulas });
          expect(again.rows[0]?.fields.name).toBe(meant);
        },
      ),
      { numRuns: iterations({ short: 50, long: 500 }) },
    );
  });

  test('names all columns of a row, ten of its errors, and how many more there are', async () => {
    const headings = Array.from({ length: 12 }, (_, index) => `Kolumn ${index}`);
    const errorsOf = async (count: number, language: FaultLanguage) => {
      const row = rowOfFaults(2, headings.slice(0, count));
      return (await written([row], { headings, language })).toString();
    };
    const swedish = await errorsOf(12, 'sv');
    expect(swedish).toContain(headings.join(', '));
    expect(swedish.match(/Texten är för lång/g)).toHaveLength(10);
    expect(swedish).toContain('Kolumn 9: Texten är för lång. Högst 255 tecken. Och 2 fel till.');
    expect(await errorsOf(11, 'en')).toContain('And 1 more error.');
    expect(await errorsOf(10, 'en')).not.toContain('more');
  });

  test('has the first of very many rows, and says how many', async () => {
    const rows = Array.from({ length: 6 }, (_, index) => rowOfFaults(index + 2, ['Namn']));
    for (const format of ['csv', 'xlsx'] as const) {
      const countOf = async (limits: { maxRows?: number; maxBytes?: number }) => {
        const options = { format, language: 'sv', headings: ['Namn'], sent: { format } } as const;
        const pieces: Buffer[] = [];
        let count = 0;
        const batches = (async function* () {
          for (let at = 0; at < rows.length; at += 2) yield rows.slice(at, at + 2);
        })();
        for await (const piece of rejectedRowsFile(batches, options, limits)) {
          pieces.push(piece.bytes);
          count += piece.rows;
        }
        const again = await readAll(Buffer.concat(pieces), { format });
        expect(again.rows).toHaveLength(count);
        return count;
      };
      expect(await countOf({})).toBe(6);
      expect(await countOf({ maxRows: 3 })).toBe(3);
      expect(await countOf({ maxBytes: 1 })).toBe(2);
    }
  });

  test('keeps texts that no spreadsheet can hold from breaking the file', async () => {
    const row: RejectedRow = {
      ...INVALID,
      cells: ['a\u0000\u0001b', '\ud800', 'x'.repeat(40_000)],
    };
    const again = await readAll(await written([row], { format: 'xlsx' }), { format: 'xlsx' });
    expect(again.rows[0]?.cells.slice(0, 3)).toEqual([
      'a\ufffd\ufffdb',
      '\ufffd',
      'x'.repeat(32_767),
    ]);
  });

  test('escapes what a spreadsheet would evaluate, unless formulas were kept', async () => {
    const row: RejectedRow = { ...INVALID, cells: ['=1+1', '', ''] };
    const first = async (options: Partial<RejectedRowsOptions>) =>
      (await written([row], options)).toString().split('\r\n')[1]?.split(';')[0];
    expect(await first({})).toBe("'=1+1");
    expect(await first({ sent: { format: 'xlsx' } })).toBe("'=1+1");
    expect(await first({ sent: { format: 'csv', formulas: 'keep' } })).toBe('=1+1');
  });

  test('of a workbook is written in its columns', async () => {
    const sheet = textRow(1, 'Namn', 'Mobil') + textRow(2, '=1+1', '7E+12');
    const { headings, rows } = await rejectedOf(workbookFile({ A: sheet }), { format: 'xlsx' });
    const text = (await written(rows, { headings, sent: { format: 'xlsx' } })).toString();
    expect(text).toContain(`Namn;Mobil;radnummer;kolumn;fel\r\n'=1+1;7E+12;2;Mobil;`);
  });

  test('of a row with more cells than a sheet has columns is a workbook that can be opened', async () => {
    const row: RejectedRow = { ...INVALID, cells: ['K1', ...Array(20_000).fill('x')] };
    const again = await readAll(await written([row], { format: 'xlsx' }), { format: 'xlsx' });
    expect(again.rows[0]?.cells.slice(0, 2)).toEqual(['K1', 'x']);
    expect(again.rows[0]?.faults).toMatchObject([{ code: 'tooManyCells' }]);
  });
});
