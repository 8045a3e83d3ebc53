import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csv } from '../../shared/formats/csv.ts';
import { anyCharacter } from '../support/any-character.ts';
import { iterations } from '../support/iterations.ts';

const OPTIONS = { delimiter: 'comma', bom: false } as const;
const { cell } = csv(OPTIONS);
const { cell: kept } = csv({ ...OPTIONS, formulas: 'keep' });

/** Reads a cell of a CSV file, without the quotes of RFC 4180. */
const read = (text: string) =>
  text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;

/** The inverse rule of the API guide, for programs that read a file with escaped formulas. */
const restored = (text: string) =>
  /^'+\s*[=+\-@＝＋－＠\t\r\n]/u.test(text) ? text.slice(1) : text;

describe('A cell stays as it is if it is', () => {
  test.each([
    ['a lone dash', '-'],
    ['some dashes', '---'],
    ['dashes with spaces', '- -'],
    ['a negative number', '-12,5'],
    ['a negative number in groups', '-1 200,50'],
    ['a negative number in groups of no-break spaces', '-1\u00a0200,50'],
    ['a negative percentage', '-5 %'],
    ['a negative percentage without a space', '-5%'],
    ['a positive percentage', '+2,5 %'],
    ['a telephone number', '+46 (0)8-465 004 02'],
    ['a telephone number with no-break spaces', '+46\u00a070\u00a0123\u00a045\u00a067'],
    ['a telephone number with an extension', '+46 8 123 45 ank. 5'],
    ['a telephone number with an extension in English', '+44 20 7946 0958 ext. 12'],
    ['a telephone number with an extension after a comma', '+46 8 123 45, anknytning 512'],
    ['a telephone number with an extension in capitals', '+46 8 123 45 Ankn: 5'],
    ['words after a dash', '- ring först'],
    ['a note after a dash', '- Ring Åsa först, sedan 070-123 45 67. Helst e-post?'],
    ['text with a sign inside', 'a=1+1'],
    ['an apostrophe', "'s-Hertogenbosch"],
    ['empty', ''],
  ])('%s', (_, text) => {
    expect(read(cell(text))).toBe(text);
  });
});

describe('A cell gets an apostrophe in front if it is', () => {
  test.each([
    ['a formula', '=1+1'],
    ['a function', '=HYPERLINK("http://evil.example")'],
    ['a function after a plus', '+SUM(A1)'],
    ['a function after a dash', '-SUM(A1)'],
    ['a function after a dash and words', '- ring först SUM(A1)'],
    ['a command (DDE)', "-2+3+cmd|' /C calc'!A0"],
    ['a command after a dash and words', "- ring cmd|'/C calc'!A0"],
    ['a function with the sign of old programs', '@SUM(A1)'],
    ['a word after a dash without a space', '-cmd'],
    ['one word after a dash', '- cmd'],
    ['a reference', '-A1'],
    ['a reference after a space', '- A1'],
    ['references', '- A1 B2'],
    ['a reference among words', '- ring A1 hos oss'],
    ['a range among words', '- ring oss A:B'],
    ['a sum of references', '+A1+B2'],
    ['a sum of words', '- ring + svar'],
    ['a difference of words', '- ring oss - svar'],
    ['a reference to another sheet', '- ring oss Blad!A1'],
    ['words after a plus', '+ ring först'],
    ['a difference of numbers', '-5-3'],
    ['a product', '-5*A1'],
    ['a percentage of a reference', '-5%A1'],
    ['a telephone number with a reference', '+46 8 123 45 A5'],
    ['a telephone number with an extension that is a reference', '+46 8 123 45 ext5'],
    ['a telephone number with a formula', '+46 8 123 45 ank. 5+A1'],
    ['an array', '-{1}'],
    ['a formula after white space', ' \t=1+1'],
    ['a formula after a no-break space', '\u00a0=1+1'],
    ['text after a tab', '\ta'],
    ['text after a carriage return', '\r=1'],
    ['text after a line feed', '\na'],
    ['words on two lines', '- ring först\n=1+1'],
    ['a full-width formula', '＝1+1'],
    ['words after a full-width dash', '－ ring först'],
    ['a formula after an apostrophe', "'=1+1"],
    ['words after an apostrophe and a dash', "'- ring först"],
  ])('%s', (_, text) => {
    expect(read(cell(text))).toBe(`'${text}`);
  });
});

const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."'-+=@%.,?() \t\r\n－ＡA1bå5", 'ring', 'ank. 5') }),
  fc.string({ unit: anyCharacter }),
);

test('Any text is restored by taking one apostrophe away where the guide says so', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(restored(read(cell(text)))).toBe(text);
    }),
    { numRuns: iterations({ short: 5_000, long: 50_000 }) },
  );
});

test('Any text that gets no apostrophe and begins like a formula has no character of one', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const isFormula = /^\s*[=+\-@＝＋－＠\t\r\n]/u.test(text);
      if (isFormula && read(cell(text)) === text) {
        expect(text).toMatch(/^[+-][\p{L}\p{M}\d\s().,:%/?-]*$/u);
        expect(text).not.toMatch(/[A-Za-z]\d|[A-Za-z]\(/);
      }
    }),
    { numRuns: iterations({ short: 5_000, long: 50_000 }) },
  );
});

test('With formulas=keep any text stays as it is', () => {
  expect(kept('=1+1')).toBe('=1+1');
  expect(kept("'=1+1")).toBe("'=1+1");
  fc.assert(
    fc.property(texts, (text) => {
      expect(read(kept(text))).toBe(text);
    }),
    { numRuns: iterations({ short: 1_000, long: 10_000 }) },
  );
});
