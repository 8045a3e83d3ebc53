import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import { type Client, create, newMerchant, useApi } from '../support/api.ts';
import {
  asTexts,
  CSV_READERS,
  exportByIds,
  exportBytesByIds,
  type Row,
  readJsonLines,
  readXlsxFile,
  readXml,
  withoutApostrophes,
} from '../support/export-files.ts';
import { iterations } from '../support/iterations.ts';

useApi();

type Created = Awaited<ReturnType<typeof create>>;

const NAMES = WRITABLE_FIELDS.map(({ name }) => name);
const SCHEMA = readFileSync(join(import.meta.dirname, '../../shared/customers.xsd'), 'utf8');
const CSV_FORMS = ['comma', 'semicolon'].flatMap((delimiter) =>
  [true, false].map((bom) => ({ delimiter, bom })),
);
/** Characters that XML cannot contain, and the replacement character. */
const FORBIDDEN = [...range(0, 0x8), 0xb, 0xc, ...range(0xe, 0x1f), 0xfffd, 0xfffe, 0xffff];
const SURROGATES = range(0xd800, 0xdfff);
const LAST_OF_BMP = 0xffff;
const LAST = 0x10ffff;

function range(first: number, last: number, step = 1): number[] {
  const length = Math.floor((last - first) / step) + 1;
  return Array.from({ length }, (_, index) => first + index * step);
}

/** Returns bodies whose fields together contain these characters in order. */
function bodiesOf(codePoints: readonly number[]): Row[] {
  const bodies: Record<string, string>[] = [];
  let at = 0;
  while (at < codePoints.length) {
    const body: Record<string, string> = {};
    for (const { name, maxLength } of WRITABLE_FIELDS) {
      const part = codePoints.slice(at, at + maxLength);
      if (part.length > 0) body[name] = part.map((point) => String.fromCodePoint(point)).join('');
      at += part.length;
    }
    bodies.push(body);
  }
  return bodies;
}

/** Tests that responses and files contain customers as they were sent. */
function testReadBack(what: string, bodies: () => readonly Row[]): void {
  let merchant: Client;
  let created: Created[];
  let ids: number[];
  /** The fields sent, and the system fields. */
  let expected: object[];

  beforeAll(async () => {
    merchant = await newMerchant();
    created = [];
    for (const body of bodies()) created.push(await create(merchant, body));
    ids = created.map((customer) => customer.mexcParamvaluesetsid);
    expected = created.map((customer, index) => ({ ...customer, ...bodies()[index] }));
  });
  afterAll(() => merchant.call('DELETE', '/customers', { body: ids }));

  test(`POST, GET and the list return ${what} as sent`, async () => {
    expectSame(created, expected);
    const got = [];
    for (const id of ids) got.push((await merchant.call('GET', `/customers/${id}`)).body);
    expectSame(got, expected);
    const listed = [];
    // A page of all customers might be larger than the maximum response.
    let path: string | undefined = '/customers?limit=20';
    while (path) {
      const { headers, body } = await merchant.call('GET', path);
      listed.push(...body);
      const next: string | undefined = headers.get('link')?.match(/^<(.+)>; rel="next"$/)?.[1];
      path = next?.slice(merchant.url.length);
    }
    expectSame(listed, expected);
  });

  test.each(CSV_FORMS)(
    `A CSV file with $delimiter and bom=$bom contains ${what} as sent`,
    async ({ delimiter, bom }) => {
      const file = await exportByIds(merchant, `csv?delimiter=${delimiter}&bom=${bom}`, ids);
      expect(file.startsWith('\ufeff')).toBe(bom);
      const separator = delimiter === 'comma' ? ',' : ';';
      const [first, second] = CSV_READERS.map((read) => read(file, separator));
      expectSame(first, second);
      expectSame(first?.map(withoutApostrophes), expected.map(asTexts));
    },
  );

  test(`An XLSX file contains ${what} as sent`, async () => {
    const rows = await readXlsxFile(await exportBytesByIds(merchant, 'xlsx', ids));
    expectSame(rows, expected.map(asTexts));
  });

  test(`A file of JSON Lines contains ${what} as sent`, async () => {
    expectSame(readJsonLines(await exportByIds(merchant, 'jsonl', ids)), expected);
  });

  test(`An XML file contains ${what} as sent, also for libxml2, and is valid by its schema`, async () => {
    const xml = await exportByIds(merchant, 'xml', ids);
    expectSame(readXml(xml).map(asTexts), expected.map(asTexts));
    const { errors, normalized } = await validateXML({
      xml,
      schema: SCHEMA,
      normalization: 'c14n',
      initialMemoryPages: 2_048,
      maxMemoryPages: 16_384,
    });
    expect(errors).toEqual([]);
    expectSame(readCanonical(normalized).map(asTexts), expected.map(asTexts));
  });
}

/** Expects equality, and shows texts that differ around the first difference: they are long. */
function expectSame(found: unknown, expected: unknown): void {
  const [a, b] = [found, expected].map(
    (value) => JSON.stringify(inOrder(value)) as string | undefined,
  );
  if (a === b) return;
  if (a === undefined || b === undefined) expect.fail('A value is undefined.');
  const at = [...a].findIndex((_, index) => a[index] !== b[index]);
  const around = (text: string) => text.slice(Math.max(0, at - 40), at + 40);
  expect.fail(`${around(a)} in place of ${around(b)}`);
}

function inOrder(value: unknown): unknown {
  return [value]
    .flat()
    .map((customer) => Object.entries(customer as object).sort(([x], [y]) => (x < y ? -1 : 1)));
}

/** Reads customers of canonical XML, which has few escapes and no empty elements. */
function readCanonical(xml: string): Row[] {
  const escapes: Row = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#xD;': '\r' };
  return [...xml.matchAll(/<customer>(.*?)<\/customer>/gs)].map(([, row = '']) =>
    Object.fromEntries(
      [...row.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name, text = '']) => [
        name,
        text.replace(/&[^;]*;/g, (written) => escapes[written] ?? `?${written}`),
      ]),
    ),
  );
}

describe('Every character of Unicode', () => {
  const forbidden = new Set([...FORBIDDEN, ...SURROGATES]);
  const step = iterations({ short: 31, long: 1 });
  const points = [...range(0, LAST_OF_BMP), ...range(LAST_OF_BMP + 1, LAST, step)];
  const bodies = bodiesOf(points.filter((point) => !forbidden.has(point)));
  testReadBack(
    `every allowed character${step === 1 ? '' : ` to U+FFFF, and each ${step}th above,`}`,
    () => bodies,
  );
});

describe('Forbidden characters', () => {
  test.each([
    ['at the beginning of a text', (character: string) => `${character}a`],
    ['within a text', (character: string) => `å${character}😀`],
    ['at the end of a text', (character: string) => `=${character}`],
  ])('POST returns 400 for each forbidden character %s', async (_, around) => {
    const merchant = await newMerchant();
    const forbidden = [...FORBIDDEN, ...SURROGATES];
    for (let at = 0; at < forbidden.length; at += NAMES.length) {
      const points = forbidden.slice(at, at + NAMES.length);
      const texts = points.map((point) => around(String.fromCharCode(point)));
      // JSON can contain half of a surrogate pair, as an escape.
      const body = Object.fromEntries(texts.map((text, index) => [NAMES[index], text]));
      const answer = await merchant.call('POST', '/customers', { body });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual(
        points.map((point, index) => ({
          pointer: `/${NAMES[index]}`,
          detail: expect.stringContaining(
            SURROGATES.includes(point)
              ? 'half of a surrogate pair'
              : `U+${point.toString(16).toUpperCase().padStart(4, '0')}`,
          ),
        })),
      );
    }
    expect((await merchant.call('GET', '/customers')).body).toEqual([]);
  });
});

const SIGNS = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/** Row that a spreadsheet or a lenient CSV reader may skip before a formula. */
const BEFORE = [
  ...['', ' ', '  ', '\t', '\r', '\n', '\r\n', '\u00a0', '\u1680', '\u2003', '\u2028', '\u3000'],
  ...['\ufeff', "'", "''", " '", "' ", '"', '""', '",', '";', ',', ';', ',"', ';"', '\r\n,', '\n='],
];
const AFTER = ['', '1+1', "cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example","x")', '1', 'a'];

const HOSTILE_TEXTS = [
  ...BEFORE.flatMap((before) =>
    SIGNS.flatMap((sign) => AFTER.map((after) => `${before}${sign}${after}`)),
  ),
  ...BEFORE.filter(Boolean),
  ...[
    '"',
    '""',
    '"""',
    '","',
    '";"',
    'a"b',
    'a,b',
    'a;b',
    'a\tb',
    '\r',
    '\n',
    '\r\n',
    '\n\r',
    '\r\r',
  ],
  ...['a\r\nb', 'a\n\nb', '\na', 'a\r', ' a ', '\ta\t', '\u00a0a\u00a0', '\u0085', '\u2028\u2029'],
  ...[']]>', '<![CDATA[x]]>', '<!-- x --', '--&gt;', '<?xml version="1.0"?>', '<!DOCTYPE a>', '&'],
  ...['&amp;', '&#0;', '&#xFFFF;', '&lol;', '</customer>', '<b>', '\\', '\\n', '\\u0000', '%00'],
  ...['\u202e=1+1', '\u200f+1', '\u2066@a\u2069', '\u200b=1', '\u00ad=1', '\u0301=1', 'e\u0301'],
  ...[
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    '🇸🇪',
    'Z\u0351\u036b\u0343',
    '\ufdd0',
    '\u{1fffe}',
  ],
  ...['\u{10ffff}', '\ue000', '\u0378', 'null', 'true', '007', '1e5', '0x1F', '1/2', '2026-01-01'],
  ...['+46 70 123 45 67', '-12,5', '+', '-', "'+46", '123456789012345678901', 'NaN', '#REF!', 'ﷺ'],
];

/** Customers whose fields together have these texts. */
const HOSTILE_BODIES = Array.from(
  { length: Math.ceil(HOSTILE_TEXTS.length / NAMES.length) },
  (_, nth): Record<string, string> => {
    const texts = HOSTILE_TEXTS.slice(nth * NAMES.length, (nth + 1) * NAMES.length);
    return Object.fromEntries(texts.map((text, index) => [NAMES[index] as string, text]));
  },
);

describe('Hostile texts', () => {
  testReadBack('each hostile text', () => HOSTILE_BODIES);
});

describe('Longest texts', () => {
  const units = ['😀', 'å', '"', '&', '\r', '\n', "'", '=', ';', ',', ']', '\u0301', '\u202e', ' '];
  const longest = (unit: string, more = 0) =>
    Object.fromEntries(
      WRITABLE_FIELDS.map(({ name, maxLength }) => [name, unit.repeat(maxLength + more)]),
    );
  const bodies = units.map((unit) => longest(unit));
  testReadBack('the longest texts', () => bodies);

  test.each(['😀', '"', '\u0301'])(
    'POST returns 400 for each field with one character too many, %j',
    async (unit) => {
      const merchant = await newMerchant();
      const answer = await merchant.call('POST', '/customers', { body: longest(unit, 1) });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual(
        WRITABLE_FIELDS.map(({ name, maxLength }) => ({
          pointer: `/${name}`,
          detail: `must have at most ${maxLength} characters`,
        })),
      );
    },
  );
});

describe('CSV files of hostile texts', () => {
  const files = new Map<(typeof CSV_FORMS)[number], string>();
  beforeAll(async () => {
    const merchant = await newMerchant();
    const created = await merchant.call('POST', '/customers', { body: HOSTILE_BODIES });
    const ids = created.body.map(
      ({ customer }: { customer: Created }) => customer.mexcParamvaluesetsid,
    );
    for (const form of CSV_FORMS) {
      const path = `csv?delimiter=${form.delimiter}&bom=${form.bom}`;
      files.set(form, await exportByIds(merchant, path, ids));
    }
  });

  // LibreOffice splits at comma, semicolon and tab by default.
  test.each(CSV_FORMS)(
    'A CSV file with $delimiter and bom=$bom has the same cells if split at any delimiter',
    (form) => {
      const file = files.get(form) ?? '';
      const rows = cellsAt(file, ',;\t');
      expect(rows.filter((cells) => cells.length !== rows[0]?.length)).toEqual([]);
      const [header = [], ...rest] = rows;
      const [read] = CSV_READERS.map((reader) =>
        reader(file, form.delimiter === 'comma' ? ',' : ';'),
      );
      expect(rest).toEqual(read?.map((row) => header.map((name) => row[name])));
    },
  );

  test.each(CSV_FORMS)(
    'A CSV file with $delimiter and bom=$bom has no cell that begins like a formula',
    (form) => {
      const cells = cellsAt(files.get(form) ?? '', ',;\t').flat();
      // A heading, and the texts of all customers.
      expect(cells.length).toBeGreaterThan(HOSTILE_TEXTS.length);
      const formulas = cells
        .filter((cell) => SIGNS.includes([...cell.trimStart()][0] ?? '') || /^[\t\r\n]/.test(cell))
        // Numbers and telephone numbers are not evaluated.
        .filter((cell) => !/^[+-][\d ().,/-]*$/.test(cell));
      expect(formulas).toEqual([]);
    },
  );
});

/** Splits a file into cells by RFC 4180: quotes count only at the beginning of a cell. */
function cellsAt(file: string, delimiters: string): string[][] {
  const text = file.replace(/^\ufeff/, '');
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
    }
    while (at < text.length && !delimiters.includes(text[at] as string) && text[at] !== '\r') {
      cell += text[at];
      at += 1;
    }
    row.push(cell);
    if (text[at] === '\r') {
      rows.push(row);
      row = [];
      at += 1;
    }
    at += 1;
  }
  return rows;
}
