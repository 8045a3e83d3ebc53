import { describe, expect, test } from 'vitest';
import { fold, toSearchAttributes } from '../../shared/domain/search-attributes.ts';

/** Letters of Latin-1 and Latin Extended-A, which are those of Europe's languages. */
const LETTERS = Array.from({ length: 0x17f - 0xc0 }, (_, index) =>
  String.fromCodePoint(0xc0 + index),
).filter((letter) => /\p{L}/u.test(letter));
/** Letters that Swedish sorts as others or after all others, but people type without the accent. */
const TYPED_WITHOUT_ACCENT = 'ÔôŐőÜüŰűĘęŒœıŉ';

describe('letters are compared', () => {
  test('as the collation of Swedish does at base strength', () => {
    const { compare } = new Intl.Collator('sv', { sensitivity: 'base' });
    const wrong = LETTERS.filter(
      (letter) => !TYPED_WITHOUT_ACCENT.includes(letter) && compare(fold(letter), letter) !== 0,
    );
    expect(wrong).toEqual([]);
    const apart = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖ'];
    expect(new Set(apart.map(fold)).size).toBe(29);
  });

  test.each([
    ['ôőüűęœ', 'OOUUEOE'],
    ['ÅÄÖåäö', 'ÅÄÖÅÄÖ'],
    ['A\u030aA\u0308O\u0308', 'ÅÄÖ'],
    ['Ǻ Ǟ Ǿ Ǽ', 'Å Ä Ö Ä'],
    ['ẞ ß', 'SS SS'],
    ['Ελένη Παΐζης', 'ΕΛΕΝΗ ΠΑΙΖΗΣ'],
    ['Сергей Ёлкин', 'СЕРГЕЙ ЕЛКИН'],
    ['ﬁn', 'FIN'],
    ['\u0301', ''],
  ])('in one form: %j as %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  test('the same whatever their case and Unicode form', () => {
    for (const letter of LETTERS) {
      for (const form of [letter.toUpperCase(), letter.normalize('NFD'), fold(letter)]) {
        expect(fold(form), letter).toBe(fold(letter));
      }
    }
  });
});

test('a search attribute that would be empty is left out', () => {
  const fields = { name: ' ', companyno: '-', postcode: '\u00a0', address: '\u200b' };
  expect(toSearchAttributes({ date: '2026-01-01T00:00:00.000Z' }, fields)).toMatchObject({
    nameText: undefined,
    addressText: undefined,
    companyText: undefined,
    postcodeText: undefined,
  });
});
