import fc from 'fast-check';
import { readXlsx } from 'hucre/xlsx';
import { describe, expect, test } from 'vitest';
import { SWEDISH_HEADINGS } from '../../shared/domain/field-headings.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { encoderOf, type FileFormat, plainRow } from '../../shared/formats/row-format.ts';
import { xlsx } from '../../shared/formats/xlsx.ts';
import { customers } from '../support/arbitraries.ts';
import { iterations } from '../support/iterations.ts';
import { unzip } from '../support/unzip.ts';

type Texts = Readonly<Record<string, string>>;

const NAMES = FIELDS.map(({ name }) => name);
const MAX_ROWS = 1_048_576;

/** Rows of customers, as the item serializer writes them. */
function rowsOf(format: FileFormat, list: readonly Texts[]): Buffer {
  const rows = list.map((texts) =>
    plainRow(
      format,
      format.columns.map(({ of }) => texts[of] ?? ''),
    ),
  );
  return Buffer.from(rows.join(''));
}

/** Writes a file of pages; before each, another encoder continues from the state as JSON. */
async function write(format: FileFormat, pages: readonly Buffer[]): Promise<Buffer> {
  let encoder = encoderOf(format);
  const written = [await encoder.start()];
  for (const page of pages) {
    encoder = encoderOf(format, JSON.parse(JSON.stringify(encoder.state)));
    written.push(await encoder.rows(page));
  }
  return Buffer.concat([...written, await encoder.end()]);
}

async function cellsOf(file: Buffer): Promise<unknown[][]> {
  const { sheets } = await readXlsx(file);
  return sheets.flatMap(({ rows }) => rows);
}

const sheetOf = (file: Buffer, number = 1) =>
  (unzip(file).get(`xl/worksheets/sheet${number}.xml`) as Buffer).toString();

describe('An XLSX file', () => {
  test('has the cells of any customers as they were written, in whatever pieces', () =>
    fc.assert(
      fc.asyncProperty(fc.array(customers, { maxLength: 4 }), fc.nat(4), async (list, split) => {
        const format = xlsx();
        const numbered = list.map((texts, index) => ({
          ...texts,
          mexcParamvaluesetsid: String(index + 1),
        }));
        const pages = [numbered.slice(0, split), numbered.slice(split)];
        const file = await write(
          format,
          pages.map((page) => rowsOf(format, page)),
        );
        const [headings, ...rows] = await cellsOf(file);
        expect(headings).toEqual(NAMES);
        const expected = numbered.map((texts: Texts) =>
          FIELDS.map(({ name, type }) =>
            type === 'integer' ? Number(texts[name] ?? 0) : texts[name] || undefined,
          ),
        );
        expect(rows.map((row) => NAMES.map((_, index) => row[index] ?? undefined))).toEqual(
          expected,
        );
      }),
      { numRuns: iterations({ short: 30, long: 200 }) },
    ));

  test.each([
    '00042',
    '+46 8 465 004 02',
    '1E5',
    '-12,5',
    '=1+1',
    '@SUM(A1)',
    "'=1",
    ' lead and trail ',
    'rad 1\r\nrad 2\ttab',
    'TRUE',
    '2026-01-31',
    '#N/A',
    '_x000D_',
    '_x005F_x000D_',
    ']]>',
    '&#13;',
    '&amp;',
    '😀',
  ])('has %j as a text cell, which no spreadsheet evaluates or converts', async (text) => {
    const format = xlsx({ columns: ['name'] });
    const file = await write(format, [rowsOf(format, [{ name: text }])]);
    expect(await cellsOf(file)).toEqual([['name'], [text]]);
    expect(sheetOf(file)).toMatch(/<c r="A2" s="1" t="inlineStr">/);
    expect(sheetOf(file)).not.toContain('<f');
  });

  test('has times as dates, to the millisecond, and ids as numbers', async () => {
    const format = xlsx({ columns: ['mexcParamvaluesetsid', 'date'] });
    const row = { mexcParamvaluesetsid: '1000', date: '2026-11-24T20:30:04.328Z' };
    const file = await write(format, [rowsOf(format, [row])]);
    const [, cells] = await cellsOf(file);
    expect(cells).toEqual([1000, new Date(row.date)]);
  });

  test('has a number of more than 15 digits, which Excel would round, as text', async () => {
    const format = xlsx({ columns: ['mexcModulesid', 'mm3servicesid'] });
    const row = { mexcModulesid: '9007199254740991', mm3servicesid: '999999999999999' };
    const file = await write(format, [rowsOf(format, [row])]);
    expect(await cellsOf(file)).toEqual([
      ['mexcModulesid', 'mm3servicesid'],
      ['9007199254740991', 999_999_999_999_999],
    ]);
  });

  test.each(['1850-01-01T00:00:00.000Z', 'yesterday'])(
    'has the time %j, which is no date of a spreadsheet, as text',
    async (date) => {
      const format = xlsx({ columns: ['date'] });
      const file = await write(format, [rowsOf(format, [{ date }])]);
      expect(await cellsOf(file)).toEqual([['date'], [date]]);
    },
  );

  test('has U+FFFD for control characters, which the API refuses and XML cannot have', async () => {
    const format = xlsx({ columns: ['name', 'fax'] });
    const file = await write(format, [
      rowsOf(format, [
        { name: 'a\u0000b\u0001c\u001f', fax: '\uffff' },
        { name: 'next', fax: '1' },
      ]),
    ]);
    expect(await cellsOf(file)).toEqual([
      ['name', 'fax'],
      ['a\ufffdb\ufffdc\ufffd', '\ufffd'],
      ['next', '1'],
    ]);
  });

  test('has cells that Excel can hold, whatever the longest texts are', () => {
    // A character has at most two UTF-16 units, by which Excel counts.
    for (const { maxLength } of FIELDS) expect(2 * maxLength).toBeLessThanOrEqual(32_767);
  });

  test('has a frozen heading row, a filter, widths, and text format where a text may be typed', async () => {
    const format = xlsx({ columns: ['customerid', 'notes', 'date'], headers: 'sv' });
    const file = await write(format, [rowsOf(format, [{ customerid: '1' }, { customerid: '2' }])]);
    const { sheets } = await readXlsx(file);
    expect(sheets[0]).toMatchObject({
      name: 'Kunder',
      freezePane: { rows: 1 },
      autoFilter: { range: 'A1:C3' },
      rows: [
        ['Kundnummer', 'Anteckningar', 'Skapad'],
        ['1', null, null],
        ['2', null, null],
      ],
    });
    const columns = [...sheetOf(file).matchAll(/<col [^>]*width="(\d+)" style="(\d)"/g)];
    expect(columns.map(([, width, style]) => [Number(width), style])).toEqual([
      [16, '1'],
      [40, '1'],
      [20, '2'],
    ]);
    expect(unzip(file).get('xl/styles.xml')?.toString()).toContain('<xf numFmtId="49"');
  });

  test('without customers has its headings', async () => {
    expect(await cellsOf(await write(xlsx(), []))).toEqual([NAMES]);
  });

  test('goes on in another sheet after the 1,048,576 rows of one', async () => {
    const format = xlsx({ columns: ['name'], headers: 'sv' });
    const page = (customers: number) => Buffer.from(plainRow(format, ['']).repeat(customers));
    // The third page has the last row of the first sheet in its midst.
    const pages = [
      page(MAX_ROWS - 3),
      page(1),
      rowsOf(format, [{ name: 'last' }, { name: 'next' }]),
    ];
    const file = await write(format, [...pages, rowsOf(format, [{ name: 'and last' }])]);
    const first = sheetOf(file, 1);
    expect(first.match(/<row /g)).toHaveLength(MAX_ROWS);
    expect(first).toContain(`<autoFilter ref="A1:A${MAX_ROWS}"/>`);
    expect(first.slice(first.lastIndexOf('<row '))).toContain(
      `<row r="${MAX_ROWS}"><c r="A${MAX_ROWS}"`,
    );
    expect(first.slice(first.lastIndexOf('<row '))).toContain('>last<');
    const { sheets } = await readXlsx(file, { sheets: [1] });
    expect(sheets).toMatchObject([
      {
        name: 'Kunder 2',
        rows: [['Namn'], ['next'], ['and last']],
        autoFilter: { range: 'A1:A3' },
      },
    ]);
  });

  test('has one sheet as long as all rows fit into it', async () => {
    const format = xlsx({ columns: ['name'] });
    const rows = Buffer.from(plainRow(format, ['']).repeat(MAX_ROWS - 1));
    const file = await write(format, [rows, Buffer.alloc(0)]);
    expect([...unzip(file).keys()].filter((name) => name.includes('sheet'))).toHaveLength(1);
  });
});

test('Each field has a Swedish heading of its own, also without case, spaces and punctuation', () => {
  const folded = Object.values(SWEDISH_HEADINGS).map((heading) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, ''),
  );
  expect(Object.keys(SWEDISH_HEADINGS)).toEqual(NAMES);
  expect(new Set(folded).size).toBe(NAMES.length);
  // None is the name of another field in the API, so that both may head a file.
  for (const [index, heading] of folded.entries()) {
    const named = NAMES.findIndex((name) => name.toLowerCase() === heading);
    expect([-1, index]).toContain(named);
  }
});
