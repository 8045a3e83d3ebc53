import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { UnreadableFileError } from '../../shared/domain/errors.ts';
import type { FormatChoice } from '../../shared/domain/export.ts';
import { IMPORT_FORMATS, type ImportFormat } from '../../shared/domain/import.ts';
import { MAX_IMPORT_BYTES, MAX_IMPORT_CELL_LENGTH } from '../../shared/domain/limits.ts';
import { readRows } from '../../shared/formats/reading/read-rows.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { exportFile } from '../support/export-file.ts';
import { iterations } from '../support/iterations.ts';
import { countRows, readAll } from '../support/reading.ts';
import { REFUSED_FILES, type RefusedFileResult } from '../support/refused-files.ts';
import { textRow, workbookFile } from '../support/workbook-file.ts';
import { zipFile } from '../support/zip-file.ts';

const xlsx = (file: Buffer) => readAll(file, { format: 'xlsx' });
const csv = (file: Buffer | string) => readAll(file, { format: 'csv' });

const SHEET = textRow(1, 'Namn') + textRow(2, 'a');

describe('A ZIP archive is refused if', () => {
  const part = 'xl/worksheets/sheet1.xml';
  const sheet = `<worksheet><sheetData>${SHEET}</sheetData></worksheet>`;
  const withPart = (entry: Parameters<typeof zipFile>[0][string]) =>
    workbookFile({ Blad1: SHEET }, { parts: { [part]: entry } });

  test.each([
    ['a part is encrypted', { content: sheet, flags: 1 }, 'encrypted'],
    ['a part is packed by an unknown method', { content: sheet, method: 12 }, 'unsupported'],
    ['a part has another checksum', { content: sheet, says: { crc: 1 } }, 'damaged'],
    ['a part is larger than it says', { content: sheet, says: { size: 20 } }, 'damaged'],
    ['a part is smaller than it says', { content: sheet, says: { size: 20_000 } }, 'damaged'],
    ['a part is no deflated data', { content: sheet, deflate: false, method: 8 }, 'damaged'],
    ['a part is where another one is', { content: sheet, says: { offset: 0 } }, 'bomb'],
    ['a part is no XML', 'Namn;Ort', 'damaged'],
    ['a part has a document type', `<!DOCTYPE a [<!ENTITY b "c">]>${sheet}`, 'doctype'],
    ['a part is cut', sheet.slice(0, -20), 'truncated'],
  ])('%s', async (_, entry, code) => {
    await expect(xlsx(withPart(entry))).rejects.toMatchObject({ code });
  });

  test('a part is a bomb: 100 MB of one character, as what it says or in truth', async () => {
    const bomb = `<worksheet><sheetData>${' '.repeat(100_000_000)}</sheetData></worksheet>`;
    let content = Buffer.alloc(0);
    const packing = await cpuMsOf(async () => {
      content = deflateRawSync(bomb);
    });
    for (const [size, code] of [
      [bomb.length, 'bomb'],
      [1_000, 'damaged'],
    ] as const) {
      const says = { size, crc: crc32(bomb) };
      const file = withPart({ content, deflate: false, method: 8, says });
      const refusing = await cpuMsOf(() => expect(xlsx(file)).rejects.toMatchObject({ code }));
      expect(refusing).toBeLessThan(packing);
    }
  });

  test('it has more than 1,000 parts, is ZIP64, cut, or has something before it', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`${index}`, 'a']));
    await expect(xlsx(zipFile(many))).rejects.toMatchObject({ code: 'bomb' });
    const good = workbookFile({ Blad1: SHEET });
    const zip64 = Buffer.from(good);
    zip64.fill(0xff, zip64.length - 10, zip64.length - 2);
    await expect(xlsx(zip64)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(xlsx(good.subarray(0, -1))).rejects.toMatchObject({ code: 'truncated' });
    await expect(xlsx(Buffer.concat([Buffer.from('x'), good]))).rejects.toMatchObject({
      code: 'wrongFormat',
    });
  });

  test('it is no workbook', async () => {
    await expect(xlsx(zipFile({ 'a.txt': 'a' }))).rejects.toMatchObject({ code: 'wrongFormat' });
    await expect(xlsx(Buffer.from('Namn;Ort\n'))).rejects.toMatchObject({ code: 'wrongFormat' });
    await expect(xlsx(workbookFile({ Blad1: '' }))).rejects.toMatchObject({ code: 'noHeader' });
    await expect(xlsx(workbookFile({}))).rejects.toMatchObject({ code: 'wrongFormat' });
  });

  test('a sheet has rows or cells in a wrong order, or a cell that is too long', async () => {
    const long = `<r><t>${'a'.repeat(1_000)}</t></r>`.repeat(300);
    const cells = {
      damaged: '<row r="2"/><row r="2"/>',
      cellTooLong: `<row><c t="inlineStr"><is>${long}</is></c></row>`,
    };
    for (const [code, rows] of Object.entries(cells)) {
      await expect(xlsx(workbookFile({ A: textRow(1, 'Namn') + rows }))).rejects.toMatchObject({
        code,
      });
    }
    const columns = '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>';
    await expect(xlsx(workbookFile({ A: textRow(1, 'Namn') + columns }))).rejects.toMatchObject({
      code: 'damaged',
      where: 'sheet A, row 2, column B',
    });
  });
});

test('A comment at the end of a ZIP archive does not hide its directory', async () => {
  const sheet = `<worksheet><sheetData>${SHEET}</sheetData></worksheet>`;
  const entries = {
    '_rels/.rels':
      '<Relationships><Relationship Id="a" Type="x/officeDocument" Target="w.xml"/></Relationships>',
    'w.xml': '<workbook xmlns:r="r"><sheets><sheet name="A" r:id="b"/></sheets></workbook>',
    '_rels/w.xml.rels':
      '<Relationships><Relationship Id="b" Type="x/worksheet" Target="s.xml"/></Relationships>',
    's.xml': sheet,
  };
  const { rows } = await xlsx(zipFile(entries, 'PK\x05\x06 not the end'));
  expect(rows).toMatchObject([{ fields: { name: 'a' } }]);
});

describe('A file is refused in time and little memory if', () => {
  let results: Readonly<Record<string, RefusedFileResult>>;
  beforeAll(async () => {
    const script = join(import.meta.dirname, '../support/refuse-files.ts');
    // The limits of the heap, in MB, leave room for what reading holds, and for little garbage.
    const args = ['--max-old-space-size=128', '--max-semi-space-size=1', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    results = JSON.parse(stdout);
  });

  test.each(
    Object.entries(REFUSED_FILES).map(([why, { format, code }]) => ({ why, format, code })),
  )('$why ($format)', ({ why, code }) => {
    expect(results[why]?.code).toBe(code);
    expect(results[why]?.peakMegabytes).toBeLessThan(150);
  });

  test('it is larger than the maximum', async () => {
    const source = { bytes: MAX_IMPORT_BYTES + 1, read: () => [Buffer.from('a')] };
    await expect(readAll(source as never, { format: 'csv' })).rejects.toMatchObject({
      code: 'fileTooLarge',
    });
  });

  test('it is in another format, also if a program has named it so', async () => {
    const zip = workbookFile({ Blad1: SHEET });
    await expect(csv(zip)).rejects.toMatchObject({ code: 'wrongFormat' });
    await expect(csv(Buffer.from('Namn\nÅ\n', 'utf16le'))).rejects.toMatchObject({
      code: 'wrongFormat',
    });
    const old = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    await expect(xlsx(old)).rejects.toMatchObject({ code: 'encrypted' });
    await expect(csv(Buffer.from([0x1f, 0x8b, 8, 0]))).rejects.toMatchObject({
      code: 'wrongFormat',
    });
  });
});

test('Rows with fewer or more cells than headings, and rows without any, take as long as others', async () => {
  const msOf = (row: string) =>
    cpuMsOf(() => countRows([Buffer.from('Namn;Ort\n'), Buffer.from(row.repeat(60_000))], 'csv'));
  await msOf('a;b\n');
  const usual = await msOf('a;b\n');
  for (const row of ['\n', ';;\n', 'a\n', 'a;b;c\n']) {
    expect(await msOf(row)).toBeLessThan(5 * usual + 150);
  }
});

test('A cell of the longest length takes as long as others, whatever it repeats', async () => {
  const length = MAX_IMPORT_CELL_LENGTH;
  const msOf = (heading: string, cell: string) => {
    const row = `"${cell}";\n`;
    return cpuMsOf(() => countRows([Buffer.from(`${heading};Ort\n${row.repeat(3)}`)], 'csv'));
  };
  await msOf('Namn', 'a'.repeat(length));
  const usual = await msOf('Namn', 'a'.repeat(length));
  for (const heading of ['mexcParamvaluesetsid', 'customerid', 'Namn', 'Land', 'E-post']) {
    for (const part of [' ', '0', 'a ', "'", '#', '.', '@']) {
      const cell = part.repeat(length).slice(0, length - 1);
      expect(await msOf(heading, `${cell}x`), `${heading}: ${part}`).toBeLessThan(5 * usual + 150);
    }
  }
});

test('A heading that is filled up with spaces is not repeated in full by each fault', async () => {
  const { rows } = await csv(`Namn${' '.repeat(10_000)}\n${'a'.repeat(300)}\n`);
  expect(rows[0]?.faults).toMatchObject([{ column: 'Namn', code: 'tooLong' }]);
});

describe('What a file is read from is closed', () => {
  const SHEETS = { A: textRow(1, 'Namn') + textRow(2, 'a') };
  const good: Readonly<Record<ImportFormat, Buffer>> = {
    csv: Buffer.from('Namn\na\n'),
    xml: Buffer.from('<customers><customer><name>a</name></customer></customers>'),
    jsonl: Buffer.from('{"name":"a"}\n'),
    xlsx: workbookFile(SHEETS),
  };
  const bad: Readonly<Record<ImportFormat, Buffer>> = {
    csv: Buffer.from('Summa\na\n'),
    xml: Buffer.from('<!DOCTYPE a><customers/>'),
    jsonl: Buffer.from('[]\n'),
    xlsx: workbookFile({ A: textRow(1, 'Summa') }),
  };

  /** Returns a source of a file with more after it, and how many of its streams are open. */
  const watched = (file: Buffer) => {
    const streams = { open: 0 };
    const read = async function* (from = 0, to = file.length) {
      streams.open += 1;
      try {
        yield file.subarray(from, to);
        yield Buffer.alloc(0);
      } finally {
        streams.open -= 1;
      }
    };
    return { streams, source: { bytes: file.length, read } };
  };

  test.each(IMPORT_FORMATS)('if its rows are not read to the end (%s)', async (format) => {
    const { streams, source } = watched(good[format]);
    const { rows } = await readRows(source, { format });
    for await (const batch of rows) {
      expect(batch).toHaveLength(1);
      break;
    }
    await vi.waitFor(() => expect(streams.open).toBe(0), 50_000);
  });

  test.each(IMPORT_FORMATS)('if it is refused (%s)', async (format) => {
    const { streams, source } = watched(bad[format]);
    await expect(readAll(source, { format })).rejects.toBeInstanceOf(UnreadableFileError);
    await vi.waitFor(() => expect(streams.open).toBe(0), 50_000);
  });
});

describe('A file without usable headings is refused:', () => {
  test.each([
    ['an empty file', '', 'noHeader'],
    ['empty rows', '\r\n;;\r\n', 'noHeader'],
    ['headings that name no field', 'Rubrik;Summa\n1;2\n', 'noHeader'],
    ['two headings that name one field', 'Postort;Ort\na;b\n', 'duplicateColumn'],
    ['201 headings', `Namn${';x'.repeat(200)}\n`, 'tooManyColumns'],
  ])('%s', async (_, text, code) => {
    await expect(csv(text)).rejects.toMatchObject({ code });
  });

  test('headings of objects are harmless', async () => {
    const { rows, unknownColumns } = await csv('__proto__;constructor;Namn\na;b;c\n');
    expect(unknownColumns).toEqual(['__proto__', 'constructor']);
    expect(rows[0]?.fields).toEqual({ name: 'c' });
    expect(Object.getPrototypeOf(rows[0]?.fields)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('name');
  });
});

describe('A damaged file', () => {
  const CHOICES: FormatChoice[] = [
    { name: 'csv', delimiter: 'semicolon', bom: true, headers: 'sv' },
    { name: 'xml' },
    { name: 'jsonl' },
    { name: 'xlsx' },
  ];
  const customers = [1, 2, 3].map((id) => ({
    system: { mexcParamvaluesetsid: id, date: '2026-11-29T08:30:00.000Z' },
    fields: { customerid: `K${id}`, name: 'Å "b" & <c>; d', notes: 'x\r\ny' },
    version: 1,
    updated: '2026-11-29T08:30:00.000Z',
  }));

  test.each(CHOICES)('of $name is read or refused, and fails in no other way', async (choice) => {
    const pieces: Buffer[] = [];
    for await (const piece of exportFile(choice, customers)) pieces.push(piece);
    const whole = Buffer.concat(pieces);
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('cut'), at: fc.nat(whole.length - 1) }),
      fc.record({
        kind: fc.constant('flip'),
        bits: fc.array(fc.nat(whole.length * 8 - 1), { minLength: 1, maxLength: 6 }),
      }),
      fc.record({
        kind: fc.constant('insert'),
        at: fc.nat(whole.length),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        const bytes = damaged(whole, how);
        try {
          await readAll(bytes, { format: choice.name });
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableFileError);
          expect((error as Error).message).toMatch(/^[A-Z`].{10}/u);
        }
      }),
      { numRuns: iterations({ short: 150, long: 5_000 }) },
    );
  });

  function damaged(
    whole: Buffer,
    how: { kind: string; at?: number; bits?: number[]; bytes?: Uint8Array },
  ): Buffer {
    const bytes = Buffer.from(whole);
    if (how.kind === 'cut') return bytes.subarray(0, how.at);
    if (how.bytes) {
      return Buffer.concat([bytes.subarray(0, how.at), how.bytes, bytes.subarray(how.at)]);
    }
    for (const bit of how.bits ?? []) {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    return bytes;
  }
});
