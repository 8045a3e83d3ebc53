import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import { csv } from '../../shared/formats/csv.ts';
import { plainRow } from '../../shared/formats/row-format.ts';

const COMMA = csv({ delimiter: 'comma', bom: false });
const SEMICOLON = csv({ delimiter: 'semicolon', bom: true });
const NAMES = FIELDS.map(({ name }) => name);

describe('Files', () => {
  test('A CSV file begins with a header of all fields and ends its lines with CRLF', () => {
    expect(COMMA.head).toBe(`${NAMES.join(',')}\r\n`);
    expect(COMMA.rowEnd).toBe('\r\n');
    expect(COMMA.contentType).toBe('text/csv; charset=utf-8; header=present');
  });

  test('A CSV file for Excel in Swedish begins with a byte order mark and has semicolons', () => {
    expect(SEMICOLON.head).toBe(`\ufeff${NAMES.join(';')}\r\n`);
  });

  test('A row has a cell for each field, also for those that are not set', () => {
    const unset = FIELDS.map((field) => String(field.unset));
    expect(plainRow(COMMA, [])).toBe(`${unset.join(',')}\r\n`);
    const row = ['1', '', 'a', ...unset.slice(3)];
    expect(plainRow(SEMICOLON, ['1', '', 'a'])).toBe(`${row.join(';')}\r\n`);
  });
});

describe('Quotes', () => {
  // RFC 4180, section 2: rules 5 to 7, with the examples given there.
  test.each([
    ['text without special characters', 'aaa', 'aaa'],
    ['line break', 'b\r\nbb', '"b\r\nbb"'],
    ['double quote', 'b"bb', '"b""bb"'],
    ['comma', 'a,b', '"a,b"'],
    ['double quote alone', '"', '""""'],
    ['pair of double quotes', '""', '""""""'],
    ['bare carriage return', 'a\rb', '"a\rb"'],
    ['bare line feed', 'a\nb', '"a\nb"'],
  ])('A cell with a %s is written as RFC 4180 says', (_, text, cell) => {
    expect(COMMA.cell(text)).toBe(cell);
  });

  test.each([',', ';', '\t'])(
    'A cell with %j is quoted whatever the delimiter, since spreadsheets may split at it',
    (delimiter) => {
      for (const format of [COMMA, SEMICOLON]) {
        expect(format.cell(`a${delimiter}b`)).toBe(`"a${delimiter}b"`);
      }
    },
  );

  test('Spaces around a text are part of the cell', () => {
    expect(COMMA.cell(' a ')).toBe(' a ');
  });
});

describe('Formulas', () => {
  // OWASP, "CSV Injection": the signs that begin a formula, and what may stand before them.
  test.each([
    '=1+1',
    '+1+1',
    '-1+1',
    '@SUM(A1)',
    '＝1+1',
    '＋1',
    '－1',
    '＠SUM',
    ' =1',
    '\u00a0=1',
    '\u3000=1',
    '\ufeff=1',
    "'=1",
    "''=1",
    '+46; x',
    '-cmd',
    '- 1',
  ])('%j gets an apostrophe in front, so that no spreadsheet evaluates it', (text) => {
    expect(unquoted(COMMA.cell(text))).toBe(`'${text}`);
  });

  test.each(['\t=1', '\r=1', '\n=1', '\ta', '\ra', '\na'])(
    'A text that begins with %j gets an apostrophe in front, since a spreadsheet may strip it',
    (text) => {
      expect(unquoted(COMMA.cell(text))).toBe(`'${text}`);
    },
  );

  test.each([
    '+46 (0)8-465 004 02',
    '+46.70/123-45',
    '+',
    '-12,5',
    '-1 000.50',
    '-1',
    '1-1',
    'a=1',
    "'a",
    '',
  ])('%j is a number or text and stays as it is', (text) => {
    expect(unquoted(COMMA.cell(text))).toBe(text);
  });
});

test('Any row is read back by a CSV parser after one apostrophe before a formula is removed', () => {
  const hard = fc.string({
    unit: fc.constantFrom(...'"\',;\t\r\n=+-@＝ 1a\u00a0\ufeff😀'),
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      fc.array(hard, { minLength: NAMES.length, maxLength: NAMES.length }),
      fc.constantFrom([COMMA, ','] as const, [SEMICOLON, ';'] as const),
      (texts, [format, delimiter]) => {
        const [cells = []] = parseCsv(plainRow(format, texts), { delimiter });
        const expected = texts.map((text, index) => text || String(FIELDS[index]?.unset));
        expect(cells.map(withoutApostrophe)).toEqual(expected);
      },
    ),
    { numRuns: 10 },
  );
});

function unquoted(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

/** Undoes the neutralisation, as the guide to the API tells a reader to do it. */
function withoutApostrophe(cell: string): string {
  return /^'+\s*[=+\-@\t\r\n＝＋－＠]/u.test(cell) ? cell.slice(1) : cell;
}
