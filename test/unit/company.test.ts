import { describe, expect, test } from 'vitest';
import { companyEntry, toRegisterEntry } from '../../shared/domain/company.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import { type IdentityNumber, parseIdentityNumber } from '../../shared/domain/identity-number.ts';

const numberOf = (text: string) => parseIdentityNumber(text) as IdentityNumber;
const COMPANY = numberOf('556703-7485');
const PERSON = numberOf('811228-9874');
const FINNISH = numberOf('1572860-0');

function entryOf(fields: CustomerFields, number = COMPANY) {
  const system = { mexcParamvaluesetsid: 1, date: '2026-01-31T00:00:00.000Z' };
  return toRegisterEntry({ system, fields, version: 1, updated: system.date }, number);
}

describe('Names', () => {
  test('A company has its name in company only', () => {
    expect(entryOf({ name: 'Ek, Son & Co AB' })).toMatchObject({
      firstname: '',
      lastname: '',
      company: 'Ek, Son & Co AB',
    });
  });

  test.each([
    ['Kalle Svensson', 'Kalle', 'Svensson'],
    ['Anna-Karin Maria Öberg', 'Anna-Karin Maria', 'Öberg'],
    ['Svensson, Kalle', 'Kalle', 'Svensson'],
    ['  Kalle \t Svensson ', 'Kalle', 'Svensson'],
    ['von Platen, Carl', 'Carl', 'von Platen'],
    ['Kalle', 'Kalle', ''],
    ['Svensson,', '', 'Svensson'],
    ['', '', ''],
  ])(
    'A person named %j has the first name %j and the last name %j',
    (name, firstname, lastname) => {
      expect(entryOf({ name }, PERSON)).toMatchObject({ firstname, lastname, company: '' });
    },
  );
});

describe('Postcodes', () => {
  test.each([
    ['123 45', 12_345],
    ['0150', '0150'],
    ['\u00a0123\u00a045', 12_345],
    ['999999999999999', 999_999_999_999_999],
    ['', ''],
    ['SE-123 45', 'SE-123 45'],
    ['SW1A 1AA', 'SW1A 1AA'],
    ['1e5', '1e5'],
    ['-1', '-1'],
    ['１２３４５', '１２３４５'],
    // An integer of 16 digits may be beyond 2^53.
    ['9999999999999999', '9999999999999999'],
  ])('The postcode %j is returned as the zip %j', (postcode, zip) => {
    expect(entryOf({ postcode }).zip).toBe(zip);
  });
});

describe('Countries', () => {
  test.each([
    ['no', COMPANY, 'NO'],
    [' De ', COMPANY, 'DE'],
    ['', FINNISH, 'FI'],
    ['Sweden', COMPANY, 'SE'],
    ['S1', COMPANY, 'SE'],
    ['ſe', COMPANY, 'SE'],
  ])('The countrycode %j with a number of %o is the country %s', (countrycode, number, country) => {
    expect(entryOf({ countrycode }, number).country).toBe(country);
  });
});

describe('Telephone numbers', () => {
  test.each([
    ['SE', '070-123 46 78', '46701234678'],
    ['SE', '+46 (0)8-465 004 02', '46846500402'],
    ['SE', '0046 8 465 004 02', '46846500402'],
    ['SE', '8-465 004 02', '846500402'],
    ['FI', '09 123 4567', '35891234567'],
    ['NO', '22 12 34 56', '4722123456'],
    ['NO', '02222', '02222'],
    ['DK', '33 12 34 56', '4533123456'],
    ['DE', '030 123456', '030123456'],
    ['SE', '+1 (212) 555-0100', '12125550100'],
    ['SE', 'ring växeln', ''],
    ['SE', '', ''],
  ])('In %s the telephone number %j is returned as %j', (countrycode, telephone, phone) => {
    expect(entryOf({ countrycode, telephone }).phone).toBe(phone);
  });

  test('The mobile number takes precedence over the telephone', () => {
    const fields = { mobile: '0701234678', telephone: '08-465 004 02' };
    expect(entryOf(fields).phone).toBe('46701234678');
  });

  test('A countrycode that names a property of objects does no harm', () => {
    for (const countrycode of ['__proto__', 'constructor', 'toString']) {
      expect(entryOf({ countrycode, telephone: '0701' })).toMatchObject({
        country: 'SE',
        phone: '46701',
      });
    }
  });
});

test('A customer with nothing but a number has empty strings and the country of its number', () => {
  expect(entryOf({}, FINNISH)).toEqual({
    firstname: '',
    lastname: '',
    company: '',
    street: '',
    zip: '',
    city: '',
    country: 'FI',
    phone: '',
    email: '',
  });
});

test('A company of a public register is returned without its status, telephone and email', () => {
  const address = { street: 'Storgata 1', postcode: '0150', city: 'OSLO', country: 'NO' };
  expect(companyEntry({ name: 'FISK AS', ...address, status: 'bankrupt' })).toEqual({
    firstname: '',
    lastname: '',
    company: 'FISK AS',
    street: 'Storgata 1',
    zip: '0150',
    city: 'OSLO',
    country: 'NO',
    phone: '',
    email: '',
  });
});
