import { describe, expect, test } from 'vitest';
import { parseIdentityNumber } from '../../shared/domain/identity-number.ts';

const read = (text: string) => {
  const { kind, country, canonical, inRegister } = parseIdentityNumber(text) ?? {};
  return kind && [kind, country, canonical, inRegister];
};
const COMPANY = ['company', 'SE', '165567037485', '5567037485'];
const PERSON = ['private', 'SE', '199001189811', '199001189811'];
const NORWEGIAN = ['company', 'NO', 'NO999990010', '999990010'];
const FINNISH = ['company', 'FI', 'FI99990015', '9999001-5'];

/** What people, Word and Excel write between the digits: spaces, dashes and invisible characters. */
const SPACES = [' ', '  ', '\t', '\u00a0', '\u2007', '\u2009', '\u202f', '\ufeff', '\u200b'];
const DASHES = ['-', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212', '\uff0d', ' – '];

describe('an identity number is read', () => {
  test.each([...SPACES, ...DASHES, '\u00ad', ''])('with %j between its parts', (between) => {
    expect(read(`556703${between}7485`)).toEqual(COMPANY);
    expect(read(`16556703${between}7485`)).toEqual(COMPANY);
    expect(read(`19900118${between}9811`)).toEqual(PERSON);
    expect(read(`900118${between}9811`)).toEqual(PERSON);
    expect(read(`999${between}990${between}010`)).toEqual(NORWEGIAN);
  });

  test.each(DASHES)('as a Finnish one with %j', (dash) => {
    expect(read(`9999001${dash}5`)).toEqual(FINNISH);
  });

  test('as a Finnish one with a space in place of the hyphen', () => {
    expect(read('9999001 5')).toEqual(FINNISH);
  });

  test.each(SPACES)('with %j around it', (space) => {
    expect(read(`${space}556703-7485${space}`)).toEqual(COMPANY);
  });

  test('within the marks of writing direction that a copy from Excel has', () => {
    expect(read('\u202d5567037485\u202c')).toEqual(COMPANY);
  });

  test.each([
    'SE556703748501',
    'SE 556703748501',
    'se 556703-7485 01',
    'SE-5567037485-01',
    'SE556703748501 ',
    'SE 556703-7485',
    'SE5567037485',
    'SE-556703-7485',
    'SE165567037485',
    '16-556703-7485',
    '16 556703 7485',
  ])('of a Swedish company as %j', (text) => {
    expect(read(text)).toEqual(COMPANY);
  });

  test.each([
    'SE900118981101',
    'SE 900118-9811 01',
    'SE 19900118-9811',
    '19 900118-9811',
    '1990 01 18 - 9811',
  ])('of a person, such as a sole trader, as %j', (text) => {
    expect(read(text)).toEqual(PERSON);
  });

  test.each([
    'NO999990010MVA',
    'NO 999 990 010 MVA',
    'no999990010mva',
    '999 990 010 MVA',
    '999990010MVA',
    'NO-999990010',
    'NO 999 990 010',
  ])('of a Norwegian company as %j', (text) => {
    expect(read(text)).toEqual(NORWEGIAN);
  });

  test.each(['FI99990015', 'FI 9999001-5', 'fi-99990015', 'FI 9999001 5'])(
    'of a Finnish company as %j',
    (text) => {
      expect(read(text)).toEqual(FINNISH);
    },
  );

  test('of a person of a hundred years and more by its plus sign', () => {
    expect(read('121212 + 1212')?.[2]).toBe('191212121212');
    expect(read('121212-1212')?.[2]).toBe('201212121212');
  });
});

test.each([
  ['', 'is empty'],
  ['-', 'is a dash'],
  ['5567037485 1', 'has too many digits'],
  ['556703748501', 'is a VAT number without its country'],
  ['SE556703748502', 'is a VAT number with another ending'],
  ['SE556703748601', 'is a VAT number with a wrong check digit'],
  ['NO5567037485', 'has the prefix of another country'],
  ['SE999990010', 'has the prefix of another country'],
  ['99990015', 'could be of Finland or Denmark'],
  ['NO999990011MVA', 'has a wrong check digit'],
  ['5567037485MVA', 'has the ending of another country'],
  ['556703+7485', 'is of a company of over a hundred years'],
  ['556.703.7485', 'has dots'],
  ['55670374851985', 'has the length of none'],
  ['٥٥٦٧٠٣٧٤٨٥', 'has other digits'],
])('%j is no identity number: it %s', (text) => {
  expect(read(text)).toBeUndefined();
});
