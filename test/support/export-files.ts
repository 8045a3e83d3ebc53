import { parse as parseCsv } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import Papa from 'papaparse';
import { expect } from 'vitest';
import type { Client } from './api.ts';

/** Texts by field. */
export type Texts = Readonly<Record<string, string>>;

/** The fields that answers have only where they are set. */
export const FURTHER = {
  internalCreditLimit: '',
  internalRegressLimit: '',
  sendByPostOnly: '',
  dontSendEFaktura: '',
};

/** An export of these customers, byte order mark and all. */
export async function exported(merchant: Client, format: string, ids: readonly number[]) {
  const path = `/customers/export/${format}`;
  const { status, body } = await merchant.call('POST', path, { body: ids });
  expect(status).toBe(200);
  expect(body.count).toBe(ids.length);
  // Not response.text(), which would drop a byte order mark.
  const bytes = await (await fetch(body.url)).arrayBuffer();
  expect(bytes.byteLength).toBe(body.bytes);
  return Buffer.from(bytes).toString();
}

function readByCsvParse(file: string, delimiter: string): Texts[] {
  return parseCsv<Texts>(file, { columns: true, bom: true, delimiter });
}

function readByPapaParse(file: string, delimiter: string): Texts[] {
  const options = { header: true, newline: '\r\n', skipEmptyLines: true } as const;
  const { data, errors } = Papa.parse<Texts>(file, { ...options, delimiter });
  expect(errors).toEqual([]);
  return data;
}

/** Two that read a CSV file with this delimiter, independently of each other. */
export const CSV_READERS = [readByCsvParse, readByPapaParse];

/** Customers of an XML file. */
export function readXml(file: string): Texts[] {
  const parser = new XMLParser({
    trimValues: false,
    parseTagValue: false,
    // By which it knows numeric references, too.
    htmlEntities: true,
    processEntities: { enabled: true, maxTotalExpansions: 1_000_000 },
    isArray: (name) => name === 'customer',
  });
  return parser.parse(file, true).customers.customer;
}

/** A customer as a file shows it: text only, and all fields. */
export function asTexts(customer: object): Texts {
  const fields = Object.entries({ ...FURTHER, ...customer });
  return Object.fromEntries(fields.map(([name, value]) => [name, String(value)]));
}

/** Takes away the apostrophe in front of what a spreadsheet would run as a formula. */
export function withoutNeutralising(row: Texts): Texts {
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [
      name,
      /^'+\s*[=+\-@＝＋－＠\t\r\n]/u.test(cell) ? cell.slice(1) : cell,
    ]),
  );
}
