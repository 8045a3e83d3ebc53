import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseIdentityNumber } from '../../shared/domain/identity-number.ts';

// Ten digits of a person do not name the century, so the results depend on today's date.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-25T12:00:00Z') });
});
afterAll(() => {
  vi.useRealTimers();
});

describe('Personnummer', () => {
  // Examples of Skatteverket's leaflets SKV 704 and SKV 707, and of its list of test numbers.
  test.each([
    ['640823-3234', '196408233234'],
    ['811228-9874', '198112289874'],
    ['8112289874', '198112289874'],
    ['19811228-9874', '198112289874'],
    ['198112289874', '198112289874'],
    ['189001019802', '189001019802'],
  ])('A personnummer may be written as %s and is compared as %s', (text, canonical) => {
    expect(parseIdentityNumber(text)).toEqual({
      kind: 'private',
      country: 'SE',
      canonical,
      inRegister: canonical,
    });
  });

  test.each([
    ['701063-2391', '197010632391'],
    ['701061-2393', '197010612393'],
  ])('The samordningsnummer %s, whose day is increased by 60, is valid', (text, canonical) => {
    expect(parseIdentityNumber(text)).toMatchObject({ kind: 'private', canonical });
  });

  test.each([
    ['-, the latest century that is not in the future', '121212-1212', '201212121212'],
    ['- on the day of birth, this century', '261125-1238', '202611251238'],
    ['+, more than 100 years ago', '121212+1212', '191212121212'],
    ['+ in the year of the 100th birthday, before that day', '261231+1239', '192612311239'],
    ['- in the year before that of the 100th birthday', '270101-1237', '192701011237'],
    ['+ a year before that, the century before', '270101+1237', '182701011237'],
    ['+ of the 19th century, that century', '900101+9802', '189001019802'],
  ])('Ten digits of a person mean with %s', (_, text, canonical) => {
    expect(parseIdentityNumber(text)?.canonical).toBe(canonical);
  });

  test.each([
    ['811228-9875', 'its Luhn check digit is wrong'],
    ['900231-1232', '31 February does not exist'],
    ['19250229-1236', '1925 is not a leap year'],
    ['700060-2396', 'month 00 does not exist'],
    ['701060-2394', 'day 00 of a samordningsnummer does not exist'],
    ['17170101-1239', 'it is of the 18th century'],
    ['20261126-1237', 'the person is born tomorrow'],
    // From the year in which a person turns 100, + replaces - (folkbokföringslagen, section 18).
    ['261126-1237', '- means 2026, and the person is born tomorrow'],
    ['000101-T220', 'it is an interim number'],
  ])('%s is no personnummer, since %s', (text) => {
    expect(parseIdentityNumber(text)).toBeUndefined();
  });

  test('A number of 29 February is valid in a leap year', () => {
    expect(parseIdentityNumber('19240229-1237')?.canonical).toBe('192402291237');
  });
});

describe('Organisationsnummer', () => {
  test.each(['556016-0680', '5560160680', '16556016-0680', '165560160680'])(
    'An organisationsnummer may be written as %s and is compared with the prefix 16',
    (text) => {
      expect(parseIdentityNumber(text)).toEqual({
        kind: 'company',
        country: 'SE',
        canonical: '165560160680',
        inRegister: '5560160680',
      });
    },
  );

  test.each(['202100-5489', '262000-1111', '556103-4249', '556703-7485'])(
    'The organisationsnummer %s, whose third digit is at least 2, is valid',
    (text) => {
      expect(parseIdentityNumber(text)?.kind).toBe('company');
    },
  );

  test.each([
    ['556016-0681', 'its Luhn check digit is wrong'],
    ['556016+0680', 'a company has no age that + could mean'],
    ['19556016-0680', 'its prefix is not 16'],
    ['00556016-0680', 'its prefix is not 16'],
    ['16811228-9874', 'it is the number of a person with the prefix of a company'],
    ['000000-0000', 'it begins with 0'],
  ])('%s is no organisationsnummer, since %s', (text) => {
    expect(parseIdentityNumber(text)).toBeUndefined();
  });
});

describe('Norwegian organisasjonsnummer', () => {
  // 123456785 is the example of Brønnøysundregistrene, which itself has 974760673.
  test.each([
    ['123456785', 'NO123456785'],
    ['123 456 785', 'NO123456785'],
    ['974760673', 'NO974760673'],
    ['100000040', 'NO100000040'],
  ])('The Norwegian number %s is valid by modulus 11', (text, canonical) => {
    expect(parseIdentityNumber(text)).toEqual({
      kind: 'company',
      country: 'NO',
      canonical,
      inRegister: canonical.slice(2),
    });
  });

  test.each(['123456784', '132456785', '12345678', '1234567850', '000000000'])(
    '%s is no Norwegian number',
    (text) => {
      expect(parseIdentityNumber(text)).toBeUndefined();
    },
  );

  test('No Norwegian number is valid if the remainder of modulus 11 is 1', () => {
    for (let digit = 0; digit <= 9; digit += 1) {
      expect(parseIdentityNumber(`10000013${digit}`)).toBeUndefined();
    }
  });
});

describe('Finnish Y-tunnus', () => {
  // 1572860-0 is the example of the Finnish Tax Administration; 0112038-9 is Nokia's number.
  test.each([
    ['1572860-0', 'FI15728600'],
    ['0112038-9', 'FI01120389'],
    ['0737546-2', 'FI07375462'],
  ])('The Finnish number %s is valid by modulus 11', (text, canonical) => {
    expect(parseIdentityNumber(text)).toEqual({
      kind: 'company',
      country: 'FI',
      canonical,
      inRegister: text,
    });
  });

  test.each(['1572860-1', '0112083-9', '112038-9', '15728600', '1572860+0', '0000000-0'])(
    '%s is no Finnish number',
    (text) => {
      expect(parseIdentityNumber(text)).toBeUndefined();
    },
  );

  test('No Finnish number is valid if the remainder of modulus 11 is 1', () => {
    // 1·7 + 0·9 + … + 2·4 + 4·2 = 23, and 23 modulo 11 is 1.
    for (let digit = 0; digit <= 9; digit += 1) {
      expect(parseIdentityNumber(`1000024-${digit}`)).toBeUndefined();
    }
  });
});

describe('Other texts', () => {
  test.each([' 556703-7485 ', '\t556703-7485\r\n', '\u00a0556703-7485\ufeff'])(
    'White space around a number is ignored: %j',
    (text) => {
      expect(parseIdentityNumber(text)?.canonical).toBe('165567037485');
    },
  );

  test.each([
    ['an empty text', ''],
    ['letters', 'abc'],
    ['a NUL', '556703-7485\u0000'],
    ['full-width digits', '５５６７０３７４８５'],
    ['Arabic-Indic digits', '٥٥٦٧٠٣٧٤٨٥'],
    ['two numbers', '556703-7485 556016-0680'],
    ['two numbers on two lines', '556703-7485\n556016-0680'],
    ['two hyphens', '556703--7485'],
    ['a number in exponent notation', '5.567037485e9'],
  ])('A text with %s is no identity number', (_, text) => {
    expect(parseIdentityNumber(text)).toBeUndefined();
  });

  test('A text of 100,000 digits, spaces or hyphens is refused in linear time', () => {
    for (const character of ['1', ' ', '-', '1 ']) {
      expect(parseIdentityNumber(`1${character.repeat(100_000)}x`)).toBeUndefined();
    }
  });
});

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

describe('Forms in which people type numbers', () => {
  test.each([...SPACES, ...DASHES, '\u00ad', ''])(
    'A number with %j between its parts is read',
    (between) => {
      expect(read(`556703${between}7485`)).toEqual(COMPANY);
      expect(read(`16556703${between}7485`)).toEqual(COMPANY);
      expect(read(`19900118${between}9811`)).toEqual(PERSON);
      expect(read(`900118${between}9811`)).toEqual(PERSON);
      expect(read(`999${between}990${between}010`)).toEqual(NORWEGIAN);
    },
  );

  test.each(DASHES)('A Finnish number with %j is read', (dash) => {
    expect(read(`9999001${dash}5`)).toEqual(FINNISH);
  });

  test('A Finnish number with a space in place of the hyphen is read', () => {
    expect(read('9999001 5')).toEqual(FINNISH);
  });

  test.each(SPACES)('A number with %j around it is read', (space) => {
    expect(read(`${space}556703-7485${space}`)).toEqual(COMPANY);
  });

  test('A number within the marks of writing direction that a copy from Excel has is read', () => {
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
  ])('%j is read as the number of a Swedish company', (text) => {
    expect(read(text)).toEqual(COMPANY);
  });

  test.each([
    'SE900118981101',
    'SE 900118-9811 01',
    'SE 19900118-9811',
    '19 900118-9811',
    '1990 01 18 - 9811',
  ])('%j is read as the number of a person, such as a sole trader', (text) => {
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
  ])('%j is read as the number of a Norwegian company', (text) => {
    expect(read(text)).toEqual(NORWEGIAN);
  });

  test.each(['FI99990015', 'FI 9999001-5', 'fi-99990015', 'FI 9999001 5'])(
    '%j is read as the number of a Finnish company',
    (text) => {
      expect(read(text)).toEqual(FINNISH);
    },
  );

  test('A plus sign makes a number that of a person of a hundred years or more', () => {
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
