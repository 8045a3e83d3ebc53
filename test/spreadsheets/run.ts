/**
 * Opens exported XLSX files with programs that people and their systems use, and compares each cell:
 * `npm run test:spreadsheets`. A program that is missing is skipped, with the reason; `PYTHON` names
 * a Python that has openpyxl.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import exceljs from 'exceljs';
import fc from 'fast-check';
import sheetjs from 'xlsx';
import { FIELDS, WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import { sourceOfBytes } from '../../shared/formats/reading/file-source.ts';
import { readRows } from '../../shared/formats/reading/read-rows.ts';
import { encoderOf, plainRow } from '../../shared/formats/row-format.ts';
import { xlsx } from '../../shared/formats/xlsx.ts';
import { ZipWriter } from '../../shared/formats/zip.ts';
import { customers } from '../support/arbitraries.ts';

type Cells = readonly (readonly string[])[];

/** A program that reads XLSX files. */
interface Reader {
  /** Command without which it is skipped, with the arguments of a trial. */
  readonly needs?: readonly [command: string, ...args: string[]];
  /** Returns the cells: numbers as digits, times in ISO 8601, empty ones as ''. */
  readonly read: (file: string) => Promise<Cells> | Cells;
  /** Returns a text that was sent as this program reads it, if it reads some in another way. */
  readonly reads?: (text: string) => string;
}

const FOLDER = import.meta.dirname;
const PYTHON = process.env.PYTHON ?? 'python3';
const NAMES = FIELDS.map(({ name }) => name);
const DATE = NAMES.indexOf('date');
const CUSTOMERS = 300;
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** LibreOffice turns CR, CRLF and LFCR into one line feed each, if a text has several lines. */
const withLineFeeds = (text: string) => text.replaceAll(/[\r\n]+/g, '\n');
/** What Excel escapes is not undone in texts that stand in their cell. */
const asEscaped = (text: string) => text.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');

const READERS: Readonly<Record<string, Reader>> = {
  SheetJS: {
    read: (file) => {
      const { SheetNames, Sheets } = sheetjs.read(readFileSync(file));
      const rows = SheetNames.flatMap((name) =>
        sheetjs.utils.sheet_to_json<unknown[]>(Sheets[name] as sheetjs.WorkSheet, { header: 1 }),
      );
      // As the days that the file has: its Date objects are a millisecond early at times.
      return rows.map((row) =>
        textsOf(row.map((cell, column) => (column === DATE ? timeOf(cell) : cell))),
      );
    },
  },
  exceljs: {
    read: async (file) => {
      const workbook = new exceljs.Workbook();
      await workbook.xlsx.readFile(file);
      const rows: string[][] = [];
      for (const sheet of workbook.worksheets) {
        sheet.eachRow((row) => rows.push(textsOf((row.values as unknown[]).slice(1))));
      }
      return rows;
    },
    reads: asEscaped,
  },
  openpyxl: {
    needs: [PYTHON, '-c', 'import openpyxl'],
    read: (file) => JSON.parse(run(PYTHON, [join(FOLDER, 'openpyxl_cells.py'), file]).toString()),
    reads: asEscaped,
  },
  LibreOffice: {
    needs: ['soffice', '--version'],
    read: (file) => {
      // Comma, quotes where they are needed, UTF-8; cells as they are shown.
      const filter = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false';
      const profile = `-env:UserInstallation=file://${folder}/profile`;
      run('soffice', [profile, '--headless', '--convert-to', filter, '--outdir', folder, file]);
      const rows: string[][] = parseCsv(readFileSync(file.replace(/xlsx$/, 'csv')));
      return rows.map((row) => row.map(withLineFeeds));
    },
    // A time is shown to the second, rounded.
    reads: (text) =>
      /^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/.test(text)
        ? new Date(Math.round(Date.parse(text) / 1_000) * 1_000)
            .toISOString()
            .slice(0, 19)
            .replace('T', ' ')
        : withLineFeeds(text),
  },
};

/** Programs that write XLSX files, from cells and a file of ours. */
const WRITERS: Readonly<
  Record<
    string,
    {
      readonly needs?: readonly [command: string, ...args: string[]];
      readonly write: (cells: Cells, ours: string) => Promise<Buffer> | Buffer;
      /** Returns what of a text the program can write. */
      readonly takes?: (text: string) => string;
      /** Returns the form in which texts are compared, if the program changes some. */
      readonly form?: (text: string) => string;
    }
  >
> = {
  SheetJS: {
    write: (cells) => {
      const workbook = sheetjs.utils.book_new();
      const sheet = sheetjs.utils.aoa_to_sheet(cells as string[][]);
      sheetjs.utils.book_append_sheet(workbook, sheet, 'Kunder');
      return sheetjs.write(workbook, { type: 'buffer', bookType: 'xlsx', bookSST: true });
    },
  },
  exceljs: {
    write: async (cells) => {
      const workbook = new exceljs.Workbook();
      workbook.addWorksheet('Kunder').addRows(cells as string[][]);
      return Buffer.from(await workbook.xlsx.writeBuffer());
    },
    // It cuts its file in the midst of characters of two units, and damages them.
    takes: (text) => text.replaceAll(/[\ud800-\udfff]/g, ''),
    // It does not escape them, and XML has them read as line feeds.
    form: (text) => text.replaceAll(/\r\n?/g, '\n'),
  },
  LibreOffice: {
    needs: ['soffice', '--version'],
    write: (_, ours) => {
      const profile = `-env:UserInstallation=file://${folder}/profile`;
      const out = join(folder, 'libreoffice');
      run('soffice', [profile, '--headless', '--convert-to', 'xlsx', '--outdir', out, ours]);
      return readFileSync(join(out, 'customers.xlsx'));
    },
    form: withLineFeeds,
  },
};

const folder = mkdtempSync(join(tmpdir(), 'spreadsheets-'));
try {
  await compareReaders();
  await readWriters();
  await readLargeArchive();
} finally {
  rmSync(folder, { recursive: true });
}

async function compareReaders(): Promise<void> {
  const sent = fc.sample(customers, { numRuns: CUSTOMERS, seed: SEED }).map((texts, index) => ({
    ...texts,
    mexcParamvaluesetsid: String(index + 1),
    date: new Date(Date.UTC(2026, 0, 1) + index * 86_399_999).toISOString(),
  }));
  const file = join(folder, 'customers.xlsx');
  writeFileSync(file, await write(sent));
  const expected = sent.map((texts: Readonly<Record<string, string>>) =>
    FIELDS.map(({ name, unset }) => texts[name] || String(unset)),
  );
  for (const [name, { needs, read, reads = (text: string) => text }] of Object.entries(READERS)) {
    const missing = needs && reasonToSkip(needs);
    if (missing) {
      console.log(`${name}: skipped, ${missing}`);
      continue;
    }
    const [headings, ...rows] = await read(file);
    assert.deepEqual(headings, NAMES, name);
    assert.equal(rows.length, expected.length, `${name}: rows`);
    for (const [index, row] of rows.entries()) {
      for (const [column, field] of NAMES.entries()) {
        const cell = reads(expected[index]?.[column] ?? '');
        assert.equal(row[column] ?? '', cell, `${name}: ${field} of customer ${index + 1}`);
      }
    }
    console.log(
      `${name}: ${rows.length} customers with ${NAMES.length} cells each, as sent (seed ${SEED})`,
    );
  }
}

/** Reads files that other programs have written, as an import does. */
async function readWriters(): Promise<void> {
  const sent = fc.sample(customers, { numRuns: CUSTOMERS, seed: SEED });
  const asIs = (text: string) => text;
  for (const [name, writer] of Object.entries(WRITERS)) {
    const { needs, takes = asIs, form = asIs } = writer;
    const missing = needs && reasonToSkip(needs);
    if (missing) {
      console.log(`${name}: not read, ${missing}`);
      continue;
    }
    const cells = sent.map((texts) => NAMES.map((field) => takes(texts[field] ?? '')));
    const bytes = await writer.write([NAMES, ...cells], join(folder, 'customers.xlsx'));
    const file = await readRows(sourceOfBytes(bytes), { format: 'xlsx' });
    let index = 0;
    for await (const rows of file.rows) {
      for (const { row, fields, faults } of rows) {
        // Customers without any field are empty rows.
        const texts = sent[row - 2] ?? {};
        assert.deepEqual(faults, [], `${name}: row ${row}`);
        for (const { name: field } of WRITABLE_FIELDS) {
          const text = takes(texts[field] ?? '');
          assert.equal(form(fields[field] ?? ''), form(text), `${name}: ${field} of row ${row}`);
        }
        index += 1;
      }
    }
    assert.ok(index > CUSTOMERS / 2, `${name}: rows`);
    console.log(`${name}: ${index} customers that it has written, read as they were`);
  }
}

/** Opens an archive of more than 4 GiB, of which all but two entries is a hole in the file. */
async function readLargeArchive(): Promise<void> {
  const missing = reasonToSkip([PYTHON, '-c', 'import zipfile']);
  if (missing) {
    console.log(`ZIP64: skipped, ${missing}`);
    return;
  }
  const first = new ZipWriter();
  const start = [first.begin('a'), await first.finish(Buffer.from('first'))];
  const offset = 5_000_000_000;
  const rest = new ZipWriter({ ...first.state, offset });
  const end = [rest.begin('b'), await rest.finish(Buffer.from('after 4 GiB')), rest.end()];
  const file = join(folder, 'large.zip');
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, Buffer.concat(start), 0);
  const last = Buffer.concat(end);
  writeSync(descriptor, last, 0, last.length, offset);
  const entries = JSON.parse(run(PYTHON, [join(FOLDER, 'zip64_entries.py'), file]).toString());
  assert.deepEqual(entries, { a: 'first', b: 'after 4 GiB' });
  console.log("ZIP64: Python's zipfile reads an archive of more than 4 GiB");
}

/** Writes a file in pieces of 50 customers, each by another encoder. */
async function write(list: readonly Readonly<Record<string, string>>[]): Promise<Buffer> {
  const format = xlsx();
  let encoder = encoderOf(format);
  const written = [await encoder.start()];
  for (let from = 0; from < list.length; from += 50) {
    const rows = list.slice(from, from + 50).map((texts) =>
      plainRow(
        format,
        format.columns.map(({ of }) => texts[of] ?? ''),
      ),
    );
    encoder = encoderOf(format, JSON.parse(JSON.stringify(encoder.state)));
    written.push(await encoder.rows(Buffer.from(rows.join(''))));
  }
  return Buffer.concat([...written, await encoder.end()]);
}

/** Returns the time of days since the end of 1899. */
function timeOf(days: unknown): unknown {
  return typeof days === 'number' ? new Date(Math.round((days - 25_569) * 86_400_000)) : days;
}

function textsOf(cells: readonly unknown[]): string[] {
  return Array.from(cells, (cell) => {
    if (cell instanceof Date) return cell.toISOString();
    return cell === undefined || cell === null ? '' : String(cell);
  });
}

function reasonToSkip([command, ...args]: readonly [string, ...string[]]): string | undefined {
  try {
    run(command, args);
    return undefined;
  } catch {
    return `since this fails: ${[command, ...args].join(' ')}`;
  }
}

function run(command: string, args: readonly string[]): Buffer {
  return execFileSync(command, args, {
    encoding: 'buffer',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 30,
  });
}
