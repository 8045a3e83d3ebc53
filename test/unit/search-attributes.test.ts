import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import { fold } from '../../shared/domain/fold.ts';
import { toSearchAttributes } from '../../shared/domain/search-attributes.ts';

const DATE = '2026-01-31T10:00:00.123Z';
const attributesOf = (fields: CustomerFields) => toSearchAttributes({ date: DATE }, fields);

describe('Case folding', () => {
  test.each([
    ['upper and lower case', 'Åsa Öberg', 'ÅSA ÖBERG'],
    ['composed and decomposed letters', 'A\u030asa', '\u00c5sa'],
    ['ß and ss', 'Straße', 'STRASSE'],
    ['both forms of the Greek sigma', 'ΟΔΟΣ οδος', 'οδοσ ΟΔΟΣ'],
    ['a letter without a composed upper case', 'ǰ', 'J\u030c'],
    ['ligatures and their letters', 'ﬁ', 'FI'],
    ['the kelvin sign and K', '\u212a', 'k'],
    ['runs of white space and one space', 'a \t\r\n\u00a0\u2003b', 'A B'],
  ])('Search treats %s as equal', (_, one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  test.each([
    ['o', 'ö'],
    ['a', 'å'],
    ['ab', 'a b'],
    ['556703', '５５６７０３'],
  ])('Search treats %s and %s as different', (one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  test('Folding a folded text changes nothing', () => {
    const texts = Array.from({ length: 0x600 }, (_, point) => `${String.fromCodePoint(point)} a`);
    expect(texts.filter((text) => fold(fold(text)) !== fold(text))).toEqual([]);
  });

  test('A character that is not seen changes nothing, in a text of any characters that keyboards have', () => {
    const characters = [...' !"#$%&\'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~åäöÅÄÖ  '];
    const text = fc.string({ unit: fc.constantFrom(...characters) });
    fc.assert(
      fc.property(text, (text) => {
        expect(fold(`${text}\u00ad`)).toBe(fold(text));
      }),
    );
  });

  test('A part of a text is found in it in either case', () => {
    const text = 'Ek & Åsön Spædbørn Straße Ωμέγα Жук ǰ ŉ ﬁn e\u0301';
    for (const word of text.split(' ')) {
      expect(fold(text)).toContain(fold(word.toUpperCase()));
      expect(fold(text)).toContain(fold(word.toLowerCase()));
    }
  });
});

describe('Kind of a customer', () => {
  test.each([
    ['private', ['Private', 'PRIVAT', 'privatperson', ' person ', 'consumer', 'Konsument', 'b2c']],
    ['company', ['Company', 'företag', 'FO\u0308RETAG', 'Foretag', 'business', 'b2b', '\tB2B\n']],
  ])('A customertypecode in Swedish or English makes a customer %s', (kind, codes) => {
    for (const customertypecode of codes) {
      expect([customertypecode, attributesOf({ customertypecode }).kind]).toEqual([
        customertypecode,
        kind,
      ]);
    }
  });

  test('The customertypecode takes precedence over the number', () => {
    const fields = { customertypecode: 'privat', companyno: '556703-7485' };
    expect(attributesOf(fields)).toMatchObject({
      kind: 'private',
      identityNumber: '165567037485',
    });
  });

  test.each([
    ['556703-7485', 'company'],
    ['1572860-0', 'company'],
    ['811228-9874', 'private'],
    ['556703-7486', 'unknown'],
    ['', 'unknown'],
  ])('A customer without a known code and with companyno %j is of kind %s', (companyno, kind) => {
    expect(attributesOf({ companyno, customertypecode: 'constructor' }).kind).toBe(kind);
  });
});

describe('Flags', () => {
  test.each(['1', 'true', 'Yes', 'JA', ' on '])('reversetax %j means reverse tax', (reversetax) => {
    expect(attributesOf({ reversetax }).reverseTax).toBe(true);
  });

  test.each(['', '0', 'false', 'nej', '2', 'on1'])(
    'reversetax %j means no reverse tax',
    (reversetax) => {
      expect(attributesOf({ reversetax }).reverseTax).toBeUndefined();
    },
  );

  test.each([
    [{ crediflowPartyId: 'p' }, true],
    [{ crediflowPartyId: 'p', dontSendEFaktura: '0' }, true],
    [{ crediflowPartyId: 'p', dontSendEFaktura: '1' }, undefined],
    [{ dontSendEFaktura: '0' }, undefined],
    [{}, undefined],
  ])('A customer with %o has the e-invoice flag %o', (fields, expected) => {
    expect(attributesOf(fields).eInvoice).toBe(expected);
  });
});

describe('Search texts', () => {
  test('A search compares names, numbers and addresses', () => {
    const fields = {
      name: 'Ek Åkeri',
      customerid: 'k-1',
      companyno: '556703-7485',
      address: 'Ågatan 1',
      postcode: '123 45',
      postoffice: 'Öja',
      notes: 'not searched',
    };
    expect(attributesOf(fields)).toMatchObject({
      createdAt: Date.parse(DATE),
      nameText: 'EK ÅKERI\nK-1',
      addressText: 'ÅGATAN 1\nÖJA',
      postcodeText: '12345',
      companyText: '5567037485',
    });
  });

  test('A search text cannot match across two fields', () => {
    const { nameText } = attributesOf({ name: 'Ek', customerid: 'Al' });
    for (const text of ['Ek Al', 'EkAl', 'Ek\nAl', 'Ek\r\nAl', 'Ek\u2028Al']) {
      expect(nameText).not.toContain(fold(text));
    }
  });

  test('A customer without searchable fields has no search texts', () => {
    expect(attributesOf({ notes: 'x', name: '' })).toEqual({
      createdAt: Date.parse(DATE),
      kind: 'unknown',
      nameText: undefined,
      addressText: undefined,
      companyDigits: undefined,
      eInvoice: undefined,
      reverseTax: undefined,
      identityNumber: undefined,
    });
  });
});

/** Letters of Latin-1 and Latin Extended-A, which are those of Europe's languages. */
const LETTERS = Array.from({ length: 0x17f - 0xc0 }, (_, index) =>
  String.fromCodePoint(0xc0 + index),
).filter((letter) => /\p{L}/u.test(letter));
/** Letters that Swedish sorts as others or after all others, but people type without the accent. */
const TYPED_WITHOUT_ACCENT = 'ÔôŐőÜüŰűĘęŒœıŉ';

describe('Letters', () => {
  test('Letters are compared as the collation of Swedish does at base strength', () => {
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
  ])('%j is compared as %j', (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  test('Letters are compared alike in each case and Unicode form', () => {
    for (const letter of LETTERS) {
      for (const form of [letter.toUpperCase(), letter.normalize('NFD'), fold(letter)]) {
        expect(fold(form), letter).toBe(fold(letter));
      }
    }
  });
});

test('A search attribute that would be empty is left out', () => {
  const fields = { name: ' ', companyno: '-', postcode: '\u00a0', address: '\u200b' };
  expect(toSearchAttributes({ date: '2026-01-01T00:00:00.000Z' }, fields)).toMatchObject({
    nameText: undefined,
    addressText: undefined,
    companyText: undefined,
    postcodeText: undefined,
  });
});
