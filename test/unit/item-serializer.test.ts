import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELDS, WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import { csv } from '../../shared/formats/csv.ts';
import { JSON_ROWS, jsonRows } from '../../shared/formats/json.ts';
import { JSON_LINES } from '../../shared/formats/jsonl.ts';
import { plainRow, type RowFormat } from '../../shared/formats/row-format.ts';
import { xlsx } from '../../shared/formats/xlsx.ts';
import { xml } from '../../shared/formats/xml.ts';
import { itemSerializer } from '../../shared/storage/serialized-items/item-serializer.ts';
import { anyCharacter } from '../support/any-character.ts';
import { customers } from '../support/arbitraries.ts';
import { iterations } from '../support/iterations.ts';

// Compares the fast serializer with the reference implementation, on responses as any DynamoDB
// server may write them.

const FORMATS: Readonly<Record<string, RowFormat>> = {
  'CSV with commas': csv({ delimiter: 'comma', bom: false }),
  'CSV with semicolons': csv({ delimiter: 'semicolon', bom: false }),
  'CSV that keeps formulas': csv({ delimiter: 'comma', bom: false, formulas: 'keep' }),
  'CSV of chosen columns': csv({
    delimiter: 'comma',
    bom: false,
    columns: ['notes', 'mexcModulesid', 'customerid'],
  }),
  XML: xml(),
  XLSX: xlsx(),
  'XLSX of chosen columns': xlsx({ columns: ['name', 'date', 'mm3servicesid'] }),
  'JSON Lines': JSON_LINES,
  JSON: JSON_ROWS,
  'JSON of chosen members': jsonRows(new Set(['name', 'email', 'version', 'updated'])),
};

type Attribute = readonly [name: string, value: object];

/** Attributes of an item besides the fields: other types, keys, and names similar to a field's. */
const OTHERS: readonly Attribute[] = [
  ['pk', { S: 'MERCHANT#1' }],
  ['eInvoice', { BOOL: true }],
  ['nothing', { NULL: true }],
  ['list', { L: [{ S: ']}"' }, { M: { a: { S: '\\"}' } } }] }],
  ['set', { SS: ['a', '"}'] }],
  ['nam', { S: 'x' }],
  ['names', { S: 'x' }],
  ['version', { N: '3' }],
  ['u', { N: '1769850000412' }],
];

const items = fc
  .record({
    id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    texts: customers,
    modules: fc.option(fc.nat(), { nil: undefined }),
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ id, texts, modules, order }) => {
    const fields: Record<string, object> = {
      mexcParamvaluesetsid: { N: String(id) },
      date: { S: '2026-11-24T20:30:04.328Z' },
      ...(modules !== undefined && { mexcModulesid: { N: String(modules) } }),
    };
    for (const [name, text] of Object.entries(texts)) if (text) fields[name] = { S: text };
    const attributes: Attribute[] = [...Object.entries(fields), ...OTHERS];
    const shuffled = attributes
      .map((attribute) => ({ attribute, place: order.next().value }))
      .sort((a, b) => a.place - b.place)
      .map(({ attribute }) => attribute);
    const values: Record<string, string> = { ...RECORD };
    for (const { name } of FIELDS) {
      const value = (fields[name] ?? {}) as { S?: string; N?: string };
      values[name] = value.S ?? value.N ?? '';
    }
    return { id, attributes: shuffled, values };
  });

/** JSON of an item, with escapes also where JSON does not require them. */
function toJson(attributes: readonly Attribute[], escapeAll: boolean): string {
  const json = JSON.stringify(Object.fromEntries(attributes));
  if (!escapeAll) return json;
  return json.replace(/[^\u0020-\u007e]|\//g, (character) =>
    character === '/' ? '\\/' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What is recorded of writes, as {@link OTHERS} has it. */
const RECORD = { version: '3', updated: '1769850000412' };

function referenceRow(format: RowFormat, values: Readonly<Record<string, string>>): string {
  return plainRow(
    format,
    format.columns.map(({ of }) => values[of] ?? ''),
  );
}

describe.each(Object.entries(FORMATS))('Rows in %s', (name, format) => {
  const write = itemSerializer(format);

  test(`A row in ${name} equals the row of the reference implementation`, () => {
    fc.assert(
      fc.property(fc.array(items, { maxLength: 4 }), fc.boolean(), (list, escapeAll) => {
        const before = '{"Count":1,"Items":';
        const json = list.map(({ attributes }) => toJson(attributes, escapeAll)).join();
        const answer = Buffer.from(`${before}[${json}],"ScannedCount":1}`);
        const { text, ids, ends, end } = write(answer, before.length);
        const rows = list.map(({ values }) => referenceRow(format, values));
        expect(ids).toEqual(list.map(({ id }) => id));
        expect(answer.subarray(end).toString()).toBe(',"ScannedCount":1}');
        const read = ends.map((rowEnd, index) => text.subarray(ends[index - 1] ?? 0, rowEnd));
        if (format.isJson) {
          // The same value may be written with other escapes.
          const values = read.map((row) => JSON.parse(row.toString().slice(0, -1)));
          expect(values).toEqual(rows.map((row) => JSON.parse(row.slice(0, -1))));
        } else {
          expect(read.map(String)).toEqual(rows);
        }
      }),
      { numRuns: iterations({ short: 25, long: 500 }) },
    );
  });

  test(`A text that is copied into a row in ${name} needs no escapes`, () => {
    const { anywhere, atStart } = format.special;
    // As it stands in DynamoDB's JSON, without escapes.
    const unescaped = fc
      .string({ unit: anyCharacter, minLength: 1, maxLength: 4 })
      .filter((text) => text.isWellFormed() && JSON.stringify(text) === `"${text}"`);
    fc.assert(
      fc.property(unescaped, (text) => {
        const bytes = Buffer.from(text);
        const isCopied =
          !atStart.includes(bytes[0] as number) && !bytes.some((byte) => anywhere.includes(byte));
        if (isCopied) expect(format.cell(text)).toBe(text);
      }),
      { numRuns: iterations({ short: 1_000, long: 20_000 }) },
    );
  });

  test(`A row in ${name} contains the longest texts`, () => {
    for (const character of ['&', '"', ',', '\r', 'å', '😀', '_', '_x0000_']) {
      const texts = WRITABLE_FIELDS.map(({ name, maxLength }) => [
        name,
        character.repeat(maxLength),
      ]);
      const values: Record<string, string> = Object.fromEntries(texts);
      const attributes: Attribute[] = [
        ['mexcParamvaluesetsid', { N: '1' }],
        ...Object.entries(values).map(([name, text]): Attribute => [name, { S: text }]),
      ];
      const answer = Buffer.from(`[${toJson(attributes, false)}]`);
      const expected = referenceRow(format, { ...values, mexcParamvaluesetsid: '1' });
      expect(write(answer, 0).text.toString() === expected).toBe(true);
    }
  });

  test.each([
    '',
    '[',
    '[{',
    '[{"name"',
    '[{"name":{"S":"a',
    '[{"name":{"S":"a\\',
    '[{"name":{"S":"a"}',
    '[{"name":{"S":"a"}}',
    '[{"list":{"L":[',
    '[ {"name":{"S":"a"}}]',
    '[{"name": {"S":"a"}}]',
    '{}',
    '[1]',
  ])(`A row in ${name} is not written from the malformed response %j`, (answer) => {
    expect(() => write(Buffer.from(answer), 0)).toThrow(SyntaxError);
  });
});
