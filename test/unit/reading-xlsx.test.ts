import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../shared/domain/import.ts';
import { iterations } from '../support/iterations.ts';
import { cutAt, readAll } from '../support/reading.ts';
import { textRow, workbookFile } from '../support/workbook-file.ts';

const read = (file: Buffer, options: Partial<ReadOptions> = {}) =>
  readAll(file, { format: 'xlsx', ...options });

/** Returns the text of one cell, in a workbook with a heading. */
const cellOf = async (cell: string, options: Parameters<typeof workbookFile>[1] = {}) => {
  const sheet = `${textRow(1, 'Telefon')}<row r="2">${cell}</row>`;
  const { rows } = await read(workbookFile({ Blad1: sheet }, options));
  return { text: rows[0]?.fields.telephone, codes: rows[0]?.faults.map(({ code }) => code) };
};

const formats = (...codes: readonly string[]) =>
  `<numFmts>${codes.map((code, index) => `<numFmt numFmtId="${164 + index}" formatCode="${code}"/>`).join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${codes.map((_, index) => `<xf numFmtId="${164 + index}"/>`).join('')}<xf numFmtId="14"/></cellXfs>`;

describe('A cell of an XLSX file', () => {
  test('is a shared text, also one of several formats and with what is there to pronounce it', async () => {
    const texts =
      '<si><t xml:space="preserve"> a </t></si><si><r><rPr><b/></rPr><t>Å</t></r><r><t>b_x000D_c</t></r><rPh sb="0" eb="1"><t>no</t></rPh></si><si><t/></si>';
    const shared = (index: number) => cellOf(`<c t="s"><v>${index}</v></c>`, { texts });
    expect(await shared(0)).toEqual({ text: ' a ', codes: [] });
    expect(await shared(1)).toEqual({ text: 'Åb\rc', codes: [] });
    await expect(shared(3)).rejects.toMatchObject({
      code: 'damaged',
      where: 'sheet Blad1, row 2, column A',
    });
  });

  test.each([
    ['a text of its own', '<c t="inlineStr"><is><t>_x005F_x0041_</t></is></c>', '_x0041_'],
    ['a number', '<c><v>42</v></c>', '42'],
    ['a number with an exponent', '<c><v>7.300009012345E12</v></c>', '7300009012345'],
    ['a small fraction', '<c><v>1.0000000000000001E-7</v></c>', '0.0000001'],
    ['a sum of fractions of two', '<c><v>0.30000000000000004</v></c>', '0.3'],
    ['true', '<c t="b"><v>1</v></c>', 'true'],
    ['a formula of a text', '<c t="str"><f>A1&amp;"x"</f><v>ab</v></c>', 'ab'],
    ['a formula of a number', '<c><f>1+1</f><v>2</v></c>', '2'],
    ['a date of ISO 8601', '<c t="d"><v>2026-11-29T00:00:00</v></c>', '2026-11-29'],
  ])('is %s', async (_, cell, text) => {
    expect(await cellOf(cell)).toEqual({ text, codes: [] });
  });

  test.each([
    ['an error', '<c t="e"><v>#N/A</v></c>', 'spreadsheetError'],
    ['a number of more than 15 digits', '<c><v>7300009012345678</v></c>', 'tooManyDigits'],
    ['a formula that was not calculated', '<c><f>1+1</f></c>', 'notCalculated'],
  ])('is invalid if it is %s', async (_, cell, code) => {
    expect(await cellOf(cell)).toEqual({ text: undefined, codes: [code] });
  });

  test('is doubtful if it is the text of a shortened number', async () => {
    const sheet = textRow(1, 'customerid', 'Telefon') + textRow(2, 'K1', '7,3E+12');
    const { rows } = await read(workbookFile({ A: sheet }));
    expect(rows).toMatchObject([{ faults: [], doubts: [{ code: 'shortenedNumber' }] }]);
  });

  test.each([
    ['000\\ 00', 12345, '123 45'],
    ['00000', 42, '00042'],
    ['000000\\-0000', 5567037485, '556703-7485'],
    ['&quot;K0&quot;0000', 42, 'K00042'],
    ['0', 42, '42'],
    ['#,##0.00', 1234.5, '1234.5'],
    ['0.00', 5, '5'],
    ['0000;[Red]\\-0000', 7, '0007'],
    ['0000', -7, '-7'],
    ['0000', 1.5, '1.5'],
    ['@', 42, '42'],
    ['General', 42, '42'],
    ['yyyy\\-mm\\-dd', 46355, '2026-11-29'],
    ['[$-41D]d mmmm yyyy;@', 46355.3541666667, '2026-11-29 08:30:00'],
    ['h:mm', 0.5, '12:00:00'],
    ['yyyy', 59, '1900-02-28'],
    ['yyyy', 61, '1900-03-01'],
    ['&quot;dag &quot;0', 30, '30'],
  ])('in the format %s is shown as in the spreadsheet: %d', async (code, value, text) => {
    const cell = `<c s="1"><v>${value}</v></c>`;
    expect(await cellOf(cell, { styles: formats(code) })).toEqual({ text, codes: [] });
  });

  test('of the built-in date format is a date, of 1904 in workbooks that count from there', async () => {
    const cell = '<c s="1"><v>46355</v></c>';
    expect(await cellOf(cell, { styles: formats() })).toMatchObject({ text: '2026-11-29' });
    expect(await cellOf(cell, { styles: formats(), is1904: true })).toMatchObject({
      text: '2030-11-30',
    });
  });
});

describe('The rows of an XLSX file', () => {
  test('are at their letters and numbers, or one after another without them', async () => {
    const sheet =
      '<row r="3"><c r="B3" t="inlineStr"><is><t>Namn</t></is></c><c r="D3" t="inlineStr"><is><t>Ort</t></is></c></row>' +
      '<row r="7"><c r="D7" t="inlineStr"><is><t>Umeå</t></is></c></row>' +
      '<row><c/><c t="inlineStr"><is><t>Åsa</t></is></c><c><v>1</v></c><c t="inlineStr"><is><t>Luleå</t></is></c></row>';
    const { rows, columns } = await read(workbookFile({ Blad1: sheet }));
    expect(columns.map(({ heading }) => heading)).toEqual(['', 'Namn', '', 'Ort']);
    expect(rows).toMatchObject([
      { row: 7, fields: { name: '', postoffice: 'Umeå' }, cells: ['', '', '', 'Umeå'] },
      { row: 8, fields: { name: 'Åsa', postoffice: 'Luleå' } },
    ]);
  });

  test('are those that have more than white space', async () => {
    const sheet =
      textRow(1, ' ', '') +
      textRow(3, 'Namn', 'Ort') +
      textRow(4, ' ', '\u00a0') +
      textRow(5, 'Åsa', '');
    expect((await read(workbookFile({ A: sheet }))).rows).toMatchObject([
      { row: 5, fields: { name: 'Åsa' } },
    ]);
  });

  test('are those of the first visible sheet with rows, and of sheets with the same headings', async () => {
    const people = (name: string) => textRow(1, 'Namn', 'Ort') + textRow(2, name, 'x');
    const sheets = {
      Gömd: people('no'),
      Tom: '',
      Kunder: people('a'),
      Summor: textRow(1, 'Summa'),
      'Kunder 2': people('b'),
    };
    const file = await read(workbookFile(sheets, { hidden: ['Gömd'] }));
    expect(file.rows.map(({ row, fields }) => [row, fields.name])).toEqual([
      [2, 'a'],
      // Rows of a further sheet are counted on.
      [4, 'b'],
    ]);
    expect(file.sheetsNotRead).toEqual(['Gömd', 'Tom', 'Summor']);
  });

  test('are not those of hidden sheets, and the error for a workbook without others names them', async () => {
    const file = workbookFile({ Dold: textRow(1, 'Namn') + textRow(2, 'a') }, { hidden: ['Dold'] });
    await expect(read(file)).rejects.toMatchObject({
      code: 'noHeader',
      message:
        'No sheet has rows that is not hidden; name a hidden one in `sheet`, or show it: `Dold`',
    });
    expect((await read(file, { sheet: 'Dold' })).rows).toMatchObject([{ fields: { name: 'a' } }]);
  });

  test('are those of the sheet that is named', async () => {
    const sheets = { Ett: textRow(1, 'Namn'), Två: textRow(1, 'Ort') + textRow(2, 'Umeå') };
    const file = await read(workbookFile(sheets), { sheet: 'Två' });
    expect(file.rows).toMatchObject([{ fields: { postoffice: 'Umeå' } }]);
    expect(file.sheetsNotRead).toEqual(['Ett']);
    await expect(read(workbookFile(sheets), { sheet: 'Tre' })).rejects.toMatchObject({
      code: 'noSuchSheet',
      message: 'The workbook has no sheet `Tre`; there are `Ett`, `Två`',
    });
  });

  test('are read where elements have prefixes, and parts have other names', async () => {
    const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
    const file = workbookFile(
      { A: '' },
      {
        parts: {
          'XL/Worksheets/Sheet1.xml': `<x:worksheet xmlns:x="${main}"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>Namn</x:t></x:is></x:c></x:row><x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>`,
          'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="rId1" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="../xl/Worksheets/Sheet1.xml"/></Relationships>`,
        },
      },
    );
    // The part of the same name in another case is there twice.
    await expect(read(file)).rejects.toMatchObject({ code: 'damaged' });
    const other = workbookFile(
      { A: '' },
      {
        parts: {
          'data/One.XML': `<x:worksheet xmlns:x="${main}"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>Namn</x:t></x:is></x:c></x:row><x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>`,
          'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="rId1" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="../data/one.xml"/></Relationships>`,
        },
      },
    );
    expect((await read(other)).rows).toMatchObject([{ fields: { name: 'a' } }]);
  });

  test('are the same wherever the pieces of the file end', async () => {
    const sheet =
      textRow(1, 'Kundnr', 'Namn') +
      '<row r="2"><c r="A2" s="1"><v>42</v></c><c r="B2" t="s"><v>0</v></c></row>';
    for (const deflate of [true, false]) {
      const bytes = workbookFile(
        { Blad1: sheet },
        { styles: formats('00000'), texts: '<si><t>Å &amp; 😀_x000D_</t></si>', deflate },
      );
      const { rows } = await read(bytes);
      expect(rows).toMatchObject([{ fields: { customerid: '00042', name: 'Å & 😀\r' } }]);
      // Unpacked, the pieces of the file are those of its sheets.
      const step = iterations({ short: deflate ? 29 : 5, long: deflate ? 5 : 1 });
      for (let cut = 1; cut < bytes.length; cut += step) {
        const { rows: again } = await readAll(cutAt(bytes, cut), { format: 'xlsx' });
        expect(again, `cut at ${cut}`).toEqual(rows);
      }
    }
  });
});

/** Saved by LibreOffice 7.4: as XLSX, and as CSV in Windows-1252 with semicolons. */
test.each(['xlsx', 'csv'] as const)(
  'A file that LibreOffice has saved as %s is read as it is shown',
  async (format) => {
    const bytes = readFileSync(new URL(`files/libreoffice.${format}`, import.meta.url));
    const file = await readAll(bytes, { format });
    expect(file.unknownColumns).toEqual(['Säljare']);
    expect(file.rows.map(({ fields }) => fields)).toMatchObject([
      {
        customerid: '00042',
        name: 'Åsa "Öberg" & Co; AB',
        postcode: '123 45',
        telephone: '08-465 004 12',
        notes: 'rad 1\nrad 2',
        rebate: '12.5',
        reversetax: '1',
        glncode: '7300009012345',
      },
      { customerid: 'K7', name: 'Alm AB', postcode: '', notes: '2026-11-29', reversetax: '0' },
    ]);
    const [first, second] = file.rows.map(({ faults, doubts = [] }) =>
      [...faults, ...doubts].map(({ column, code }) => `${column}: ${code}`),
    );
    expect(first).toEqual([]);
    // A workbook has lost the last of 16 digits.
    const digits = format === 'xlsx' ? ['GLN: tooManyDigits'] : [];
    expect(second).toEqual(['Telefon: spreadsheetError', ...digits]);
  },
);
