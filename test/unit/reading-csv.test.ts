import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../shared/domain/import.ts';
import { inPiecesOf, readAll } from '../support/reading.ts';

const read = (file: Buffer | string, options: Partial<ReadOptions> = {}) =>
  readAll(file, { format: 'csv', ...options });
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
const LINES = 'Kundnr;Namn;Säljare;Postort\r\n00042;Åsa;Eva;Umeå\r\n';

describe('A CSV file', () => {
  test('as Excel saves it in Swedish is read: Windows-1252 with semicolons', async () => {
    const text =
      'Kundnr;Namn;Säljare;Postort\r\n00042;"Å ""b""\r\nrad 2";Eva;Umeå\r\n\r\n;;;\r\n7;;;\r\n';
    const file = await read(Buffer.from(text, 'latin1'));
    expect(file).toMatchObject({
      encoding: 'windows-1252',
      delimiter: ';',
      unknownColumns: ['Säljare'],
      warnings: [],
    });
    expect(file.columns.map(({ field }) => field)).toEqual([
      'customerid',
      'name',
      undefined,
      'postoffice',
    ]);
    // A quoted line break and empty rows count as lines.
    expect(file.rows).toMatchObject([
      { row: 2, fields: { customerid: '00042', name: 'Å "b"\r\nrad 2', postoffice: 'Umeå' } },
      { row: 6, fields: { customerid: '7', name: '', postoffice: '' } },
    ]);
    expect(file.rows[0]?.cells).toEqual(['00042', 'Å "b"\r\nrad 2', 'Eva', 'Umeå']);
  });

  test.each([
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${LINES}`), 'utf-8'],
    ['UTF-8 without one', Buffer.from(LINES), 'utf-8'],
    ['UTF-16, as Excel saves Unicode text', utf16(LINES), 'utf-16le'],
    ['UTF-16 in the other order', utf16(LINES).swap16(), 'utf-16be'],
    ['Windows-1252', Buffer.from(LINES, 'latin1'), 'windows-1252'],
  ])('is read in %s, in pieces of any size', async (_, bytes, encoding) => {
    for (const size of [1, 2, 3, 5, 1_000]) {
      const file = await readAll(inPiecesOf(size, bytes), { format: 'csv' });
      expect(file.encoding).toBe(encoding);
      expect(file.rows).toMatchObject([{ fields: { name: 'Åsa', postoffice: 'Umeå' } }]);
    }
  });

  test('in Windows-1252 has its own characters, and those of no character are errors', async () => {
    const head = Buffer.from('Namn;Ort\n');
    const { rows } = await read(
      Buffer.concat([head, Buffer.from([0x80, 0x92, 0x8a, 0xe5, 59, 0x81])]),
    );
    expect(rows).toMatchObject([
      { fields: { name: '€’Šå' }, faults: [{ column: 'Ort', code: 'undefinedCharacter' }] },
    ]);
  });

  test('that is named as UTF-8 and is not is refused, with the line', async () => {
    const bytes = Buffer.from(LINES.replaceAll('ä', 'a'), 'latin1');
    await expect(read(bytes, { encoding: 'utf-8' })).rejects.toMatchObject({
      code: 'notUtf8',
      where: 'line 2',
    });
  });

  test('that was saved in the wrong encoding is read with a warning', async () => {
    const twice = Buffer.from(Buffer.from(LINES).toString('latin1'));
    const { warnings } = await read(twice);
    expect(warnings).toMatchObject([{ code: 'doubleEncoded' }]);
  });

  test.each([
    ['commas', 'customerid,name\nK1,"a;b"\n', ','],
    ['semicolons', 'Kundnr;Namn\nK1;a,b\n', ';'],
    ['tabs', 'Kundnr\tNamn\nK1\ta,b;c\n', '\t'],
    ['one column', 'Namn\na,b;c\n', ','],
    ['more commas than semicolons in the headings', '"Namn, a, b, c";Kundnr;Ort\n;K1;x\n', ';'],
  ])('with %s is split there', async (_, text, delimiter) => {
    const file = await read(text);
    expect(file.delimiter).toBe(delimiter);
  });

  test('is split at the delimiter of a line sep=, which Excel hides, or at the named one', async () => {
    expect(await read('sep=|\r\nNamn|Ort\r\na,b|c\r\n')).toMatchObject({
      delimiter: '|',
      rows: [{ row: 3, fields: { name: 'a,b', postoffice: 'c' } }],
    });
    expect((await read('Namn\ta;Ort\n', { delimiter: 'tab' })).columns).toMatchObject([
      { field: 'name' },
      { heading: 'a;Ort' },
    ]);
  });

  test('is read with any line ends, also mixed', async () => {
    const { rows } = await read('Namn\ra\r\nb\nc');
    expect(rows).toMatchObject([
      { row: 2, fields: { name: 'a' } },
      { row: 3, fields: { name: 'b' } },
      { row: 4, fields: { name: 'c' } },
    ]);
  });

  test('leaves cells that a row lacks as they are, and ignores empty ones too many', async () => {
    const { rows } = await read('Namn;Ort;Fax\na;b\nc;d;e;;\n');
    expect(rows).toMatchObject([
      { fields: { name: 'a', postoffice: 'b' }, faults: [] },
      { fields: { name: 'c', fax: 'e' }, faults: [] },
    ]);
    expect(rows[0]?.fields).not.toHaveProperty('fax');
  });

  test('leaves out rows that have nothing but white space, as spreadsheets save what looks empty', async () => {
    const { rows } = await read('Namn;Ort\na;b\n;\n \u00a0;\t; \n\nc; \u00a0;\u00a0\n');
    expect(rows).toMatchObject([
      { row: 2, fields: { name: 'a' } },
      { row: 6, fields: { name: 'c', postoffice: ' \u00a0' }, faults: [] },
    ]);
  });

  test.each(['a;b\nc\n', 'a;b\nc\n;', 'c\r\n', 'a;b\nc;\n\n'])(
    'that ends with a line end is whole, also if its last row is short: %j',
    async (text) => {
      const { rows } = await read(`Namn;Ort\n${text}`);
      expect(rows.at(-1)).toMatchObject({ fields: { name: 'c' }, faults: [] });
    },
  );

  test('reports a value after the last column, and a row that the end of the file cuts', async () => {
    const { rows } = await read('Namn;Ort\na;b;c\nStorg');
    expect(rows).toMatchObject([
      { faults: [{ column: 'C', code: 'tooManyCells' }] },
      { faults: [{ code: 'cut' }] },
    ]);
  });

  test('that has the headings again, as files do that were put together, reports them', async () => {
    const { rows } = await read('Namn;Ort\na;b\n\ufeffNamn;Ort\nNamn;c\nNamn\n');
    expect(rows).toMatchObject([
      { fields: { name: 'a' }, faults: [] },
      { fields: {}, faults: [{ code: 'headingsAgain' }] },
      { fields: { name: 'Namn', postoffice: 'c' }, faults: [] },
      { fields: { name: 'Namn' }, faults: [] },
    ]);
  });

  test('keeps a stray quotation mark, and is refused if one does not end', async () => {
    const { rows } = await read('Namn;Ort\nSkärm 12";x\n');
    expect(rows).toMatchObject([{ fields: { name: 'Skärm 12"', postoffice: 'x' } }]);
    await expect(read('Namn;Ort\na;"b\nc;d\n')).rejects.toMatchObject({
      code: 'truncated',
      where: 'line 2',
    });
  });

  test('gives what an export escaped as it was, unless formulas are kept', async () => {
    const text = `name\n'=1+1\n''=1\n's-Hertogenbosch\n`;
    const names = async (options: Partial<ReadOptions>) =>
      (await read(text, options)).rows.map(({ fields }) => fields.name);
    expect(await names({})).toEqual(['=1+1', "'=1", "'s-Hertogenbosch"]);
    expect(await names({ formulas: 'keep' })).toEqual(["'=1+1", "''=1", "'s-Hertogenbosch"]);
  });
});

describe('A row of a CSV file', () => {
  test.each([
    ['customerid', `1,${'5'.repeat(255)}E+12`, 'tooLong'],
    ['name', 'x'.repeat(256), 'tooLong'],
    ['name', 'a\u0000b', 'forbiddenCharacter'],
    ['name', 'a\ufffdb', 'forbiddenCharacter'],
    ['mexcParamvaluesetsid', '12 345', 'notAnId'],
    ['mexcParamvaluesetsid', '9007199254740992', 'notAnId'],
  ])('is invalid if %s is %j', async (field, text, code) => {
    const { rows } = await read(`${field};postcode\n${text};1\n`);
    expect(rows).toMatchObject([{ faults: [{ column: field, field, code }] }]);
    expect(rows[0]?.fields).toEqual({ postcode: '1' });
  });

  test.each([
    ['telephone', '7,3E+12', 'shortenedNumber'],
    ['glncode', '7.3e+12', 'shortenedNumber'],
    ['customerid', ' 1E+15', 'shortenedNumber'],
    ['name', '#N/A', 'spreadsheetError'],
    ['notes', '#REF!', 'spreadsheetError'],
    ['notes', '#SAKNAS!', 'spreadsheetError'],
    ['rebate', '########', 'spreadsheetError'],
  ])('is doubtful if %s is %j, unless the file is of a program', async (field, text, code) => {
    const file = `${field};postcode\n${text};1\n`;
    const { rows } = await read(file);
    expect(rows).toMatchObject([{ faults: [], doubts: [{ column: field, field, code }] }]);
    const [row] = (await read(file, { formulas: 'keep' })).rows;
    expect(row).toMatchObject({ fields: { [field]: text }, faults: [] });
    expect(row?.doubts).toBeUndefined();
  });

  test.each([
    ['notes', '7,3E+12'],
    ['name', '#1 Bilvård'],
    ['name', 'å'.repeat(255)],
    ['name', '😀'.repeat(255)],
    ['telephone', '+46 8 465 004 12'],
    ['customerid', 'E+12'],
  ])('is valid if %s is %j', async (field, text) => {
    const { rows } = await read(`${field};postcode\n${text};1\n`);
    expect(rows).toMatchObject([{ fields: { [field]: text }, faults: [] }]);
    expect(rows[0]?.doubts).toBeUndefined();
  });

  test('has the id of its customer, of which 0 and an empty cell are none', async () => {
    const { rows } = await read('Id;Namn\n042;a\n0;b\n;c\n');
    expect(rows.map(({ id, faults }) => [id, faults])).toEqual([
      [42, []],
      [undefined, []],
      [undefined, []],
    ]);
  });

  test('reports all that is wrong with it', async () => {
    const { rows } = await read(`customerid;name;fax\n1E+9;${'x'.repeat(300)}\u0001;#N/A\n`);
    expect(rows[0]?.faults.map(({ code }) => code)).toEqual(['tooLong', 'forbiddenCharacter']);
    expect(rows[0]?.doubts?.map(({ code }) => code)).toEqual([
      'shortenedNumber',
      'spreadsheetError',
    ]);
  });
});

test('Any cells are read as a plain CSV reader reads them, wherever pieces end', async () => {
  const cell = fc.string({ unit: fc.constantFrom(...'"\';, \t\r\nåa', '\r\n'), maxLength: 6 });
  const quoted = cell.map((text) => `"${text.replaceAll('"', '""')}"`);
  const rows = fc.array(fc.tuple(quoted, quoted), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (lines, size) => {
      const text = ['name,notes', ...lines.map((cells) => cells.join(','))].join('\r\n');
      const expected = parseCsv(text, { record_delimiter: '\r\n' }) as string[][];
      const file = await readAll(inPiecesOf(size, Buffer.from(`${text}\r\n`)), { format: 'csv' });
      expect(file.rows.map(({ cells }) => cells)).toEqual(
        expected.slice(1).filter((cells) => cells.some((each) => each.trim() !== '')),
      );
    }),
    { numRuns: 100 },
  );
});
