import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, newMerchant, useApi } from '../support/api.ts';
import { customerIdsOf } from '../support/sample-merchant.ts';

useApi();

/** Customers with what people write in different ways, and a `customerid` to recognise each by. */
const CUSTOMERS = [
  { customerid: 'Å', name: 'Åsa Björklund', postcode: '123 45', companyno: '19900118-9811' },
  { customerid: 'É', name: 'Renée Lindén', postcode: '54321', companyno: '9001189811' },
  { customerid: 'L', name: 'Lars Ek', address: 'Storgatan 12345', companyno: '556703-7485' },
  { customerid: 'Ø', name: 'Bjørn Sæther Ødegård', companyno: 'NO 999 990 010 MVA' },
  { customerid: 'F', name: 'Päivi Hämäläinen', postoffice: 'Åbo', companyno: 'FI99990015' },
  { customerid: 'Ü', name: 'Jürgen Müller', address: 'Weißstraße 1', postcode: 'SE-987 65' },
  { customerid: 'Ł', name: 'Łukasz Wałęsa', companyno: 'SE 556703\u20137485 01' },
  { customerid: 'Þ', name: 'Þór Guðmundsson', companyno: '165567037485', postcode: '00101' },
  { customerid: 'I', name: 'İbrahim Yıldız', address: 'SW1 Gatan', postcode: 'SW1A 1AA' },
  { customerid: 'D', name: 'Malmö\u2013Lund Frakt', address: 'O\u2019Briens väg 3' },
];
const ALL = CUSTOMERS.map(({ customerid }) => customerid).join(' ');

let merchant: Client;

beforeAll(async () => {
  merchant = await newMerchant();
  for (const customer of CUSTOMERS) await create(merchant, customer);
  await eventually(async () => {
    expect((await merchant.call('GET', '/customers/count')).body.count).toBe(CUSTOMERS.length);
  });
});

async function found(text: string, filter = 'search'): Promise<string> {
  const name = filter.replace('!', '');
  const query = new URLSearchParams({ filter, [name]: text });
  const { status, body } = await merchant.call('GET', `/customers?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return customerIdsOf(body);
}

describe('a search', () => {
  test.each([
    ['Björklund ', 'Å'],
    [' Åsa', 'Å'],
    ['\u00a0åsa\u2009björklund\r\n', 'Å'],
    ['\u202dÅsa\u202c', 'Å'],
    ['Björk\u00adlund', 'Å'],
    ['Malmö-Lund', 'D'],
    ['malmö\u2011lund', 'D'],
    ["o'brien", 'D'],
    ['O\u00b4Brien', 'D'],
  ])('finds pasted text: %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
  });

  test.each([
    ['linden', 'É'],
    ['renee', 'É'],
    ['RENÉE', 'É'],
    ['Rene\u0301e', 'É'],
    ['renèe', 'É'],
    ['muller', 'Ü'],
    ['Müller', 'Ü'],
    ['weissstrasse', 'Ü'],
    ['lukasz walesa', 'Ł'],
    ['thor gudmundsson', 'Þ'],
    ['ibrahim yildiz', 'I'],
  ])('ignores accents that Swedish does not hold apart: %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
  });

  test.each([
    ['åsa', 'Å'],
    ['A\u030asa', 'Å'],
    ['asa', ''],
    ['äsa', ''],
    ['björklund', 'Å'],
    ['bjorklund', ''],
    ['bjärklund', ''],
    ['lindén', 'É'],
    ['lindön', ''],
    ['päivi', 'F'],
    ['paivi', ''],
    ['åbo', 'F'],
    ['abo', ''],
  ])('holds å, ä and ö apart from a and o: %j finds %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
  });

  test.each([
    ['ødegård', 'Ø'],
    ['ÖDEGÅRD', 'Ø'],
    ['sæther', 'Ø'],
    ['säther', 'Ø'],
    ['bjørn', 'Ø'],
    ['Björn', 'Ø'],
    ['Bjørklund', 'Å'],
    ['hæmælæinen', 'F'],
    ['odegard', ''],
  ])('takes ø for ö and æ for ä, as Swedish does: %j finds %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
  });

  test.each([
    ['12345', 'Å L'],
    ['123 45', 'Å'],
    ['123\u00a045', 'Å'],
    ['12 345', 'Å'],
    ['543 21', 'É'],
    ['54321', 'É'],
    ['543', 'É'],
    ['98765', 'Ü'],
    ['987 65', 'Ü'],
    ['SE-98765', 'Ü'],
    ['sw1a1aa', 'I'],
    ['SW1A 1AA', 'I'],
    ['00101', 'Þ'],
    ['SW1 Gatan SW1A', ''],
  ])('finds a postcode with and without its space: %j finds %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
  });

  test.each([
    ['556703-7485', 'L Ł Þ'],
    ['556703 7485', 'L Ł Þ'],
    ['556703\u20137485', 'L Ł Þ'],
    ['5567037485', 'L Ł Þ'],
    ['16556703-7485', 'L Ł Þ'],
    ['SE556703748501', 'L Ł Þ'],
    ['se 556703-7485', 'L Ł Þ'],
    ['6703-7485', 'L Ł Þ'],
    ['6703 74', 'L Ł Þ'],
    ['-7485', 'L Ł Þ'],
    ['900118-9811', 'Å É'],
    ['199001189811', 'Å É'],
    ['SE 900118-9811 01', 'Å É'],
    ['19900118', 'Å'],
    ['999990010', 'Ø'],
    ['NO999990010MVA', 'Ø'],
    ['999 990 010', 'Ø'],
    ['9999001-5', 'F'],
    ['FI 9999001-5', 'F'],
    ['556703748502', ''],
  ])('finds a number in its other forms: %j finds %j', async (text, expected) => {
    expect(await found(text)).toBe(expected);
    expect(await found(text, 'searchInInvoiceForm')).toBe(expected);
  });

  test('in the invoice form finds no postcode', async () => {
    expect(await found('123 45', 'searchInInvoiceForm')).toBe('');
    expect(await found('linden', 'searchInInvoiceForm')).toBe('É');
  });

  test('that is inverted finds all others', async () => {
    expect(await found('54321', '!search')).toBe(ALL.replace(' É', ''));
  });
});
