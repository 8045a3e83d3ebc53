import { parse as parseCsv } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import { readXlsx } from 'hucre/xlsx';
import Papa from 'papaparse';
import { expect } from 'vitest';
import type { Client } from './api.ts';
import { unzip } from './unzip.ts';

/** Media types of the files, by the last segment of the path. */
export const EXPORT_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'application/xml',
  jsonl: 'application/jsonl',
};

/** Row by field. */
export type Row = Readonly<Record<string, string>>;

/** The fields that responses contain only if set. */
export const OPTIONAL_FIELDS = {
  internalCreditLimit: '',
  internalRegressLimit: '',
  sendByPostOnly: '',
  dontSendEFaktura: '',
};

/** Exports customers by ids, and returns the file with its byte order mark. */
export async function exportByIds(merchant: Client, format: string, ids: readonly number[]) {
  return (await exportBytesByIds(merchant, format, ids)).toString();
}

/** Exports customers by ids, and returns the bytes of the file. */
export async function exportBytesByIds(merchant: Client, format: string, ids: readonly number[]) {
  const path = `/customers/export/${format}`;
  const { status, body } = await merchant.call('POST', path, { body: ids });
  expect(status).toBe(200);
  expect(body.count).toBe(ids.length);
  // Not response.text(), which would drop a byte order mark.
  const bytes = await (await fetch(body.url)).arrayBuffer();
  expect(bytes.byteLength).toBe(body.bytes);
  return Buffer.from(bytes);
}

/** Returns the XML of the first sheet of an XLSX file. */
export function sheetIn(file: Buffer): string {
  return String(unzip(file).get('xl/worksheets/sheet1.xml'));
}

/** Reads the customers of an XLSX file: numbers and dates as the API has them, empty cells as ''. */
export async function readXlsxFile(file: Buffer): Promise<Row[]> {
  const { sheets } = await readXlsx(file);
  const [headings = [], ...rows] = sheets.flatMap(({ rows }) => rows);
  return rows.map((row) =>
    Object.fromEntries(
      headings.map((heading, index) => {
        const cell = row[index] ?? '';
        return [heading, cell instanceof Date ? cell.toISOString() : String(cell)];
      }),
    ),
  );
}

/** Reads the customers of a file of JSON Lines. */
export function readJsonLines(file: string): Record<string, unknown>[] {
  return file
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function readByCsvParse(file: string, delimiter: string): Row[] {
  return parseCsv<Row>(file, { columns: true, bom: true, delimiter });
}

function readByPapaParse(file: string, delimiter: string): Row[] {
  const options = { header: true, newline: '\r\n', skipEmptyLines: true } as const;
  const { data, errors } = Papa.parse<Row>(file, { ...options, delimiter });
  expect(errors).toEqual([]);
  return data;
}

/** Two independent CSV parsers. */
export const CSV_READERS = [readByCsvParse, readByPapaParse];

/** Reads the customers of an XML file. */
export function readXml(file: string): Row[] {
  const parser = new XMLParser({
    trimValues: false,
    parseTagValue: false,
    // Also enables numeric character references.
    htmlEntities: true,
    processEntities: { enabled: true, maxTotalExpansions: 1_000_000 },
    isArray: (name) => name === 'customer',
  });
  return parser.parse(file, true).customers.customer;
}

/** Returns a customer as a row of a file: all fields, as texts. */
export function asTexts(customer: object): Row {
  const fields = Object.entries({ ...OPTIONAL_FIELDS, ...customer });
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]));
}

/** Removes the apostrophe before texts that a spreadsheet would evaluate as a formula. */
export function withoutApostrophes(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [
      name,
      /^'+\s*[=+\-@＝＋－＠\t\r\n]/u.test(cell) ? cell.slice(1) : cell,
    ]),
  );
}
