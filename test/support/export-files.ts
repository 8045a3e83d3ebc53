import { parse as parseCsv } from 'csv-parse/sync';
import { XMLParser } from 'fast-xml-parser';
import Papa from 'papaparse';
import { expect } from 'vitest';
import type { Client } from './api.ts';

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
  const path = `/customers/export/${format}`;
  const { status, body } = await merchant.call('POST', path, { body: ids });
  expect(status).toBe(200);
  expect(body.count).toBe(ids.length);
  // Not response.text(), which would drop a byte order mark.
  const bytes = await (await fetch(body.url)).arrayBuffer();
  expect(bytes.byteLength).toBe(body.bytes);
  return Buffer.from(bytes).toString();
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
