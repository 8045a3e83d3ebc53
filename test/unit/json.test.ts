import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Customer, CustomerFields } from '../../shared/domain/customer.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { JSON_ROWS, toCustomerJson } from '../../shared/formats/json.ts';
import { plainRow } from '../../shared/formats/row-format.ts';
import { customers } from '../support/arbitraries.ts';

const SYSTEM = { mexcParamvaluesetsid: 7, date: '2026-01-31T00:00:00.000Z' };
const customerOf = (fields: CustomerFields): Customer => ({
  system: SYSTEM,
  fields,
  version: 1,
  updated: SYSTEM.date,
});
const DOCUMENTED = FIELDS.filter(({ always }) => always).map(({ name }) => name);

/** Reads a row of a list, which ends in a comma. */
const parseRow = (row: string) => JSON.parse(row.slice(0, -1));

test('A customer has every documented field in order, and an empty string or 0 for what is not set', () => {
  const json = toCustomerJson(customerOf({ name: 'Ek AB' }));
  expect(Object.keys(json)).toEqual(DOCUMENTED);
  const { mexcParamvaluesetsid, date, name, mexcModulesid, mm3servicesid, ...others } = json;
  expect({ mexcParamvaluesetsid, date, name }).toEqual({ ...SYSTEM, name: 'Ek AB' });
  expect({ mexcModulesid, mm3servicesid }).toEqual({ mexcModulesid: 0, mm3servicesid: 0 });
  expect(new Set(Object.values(others))).toEqual(new Set(['']));
});

test('A customer has the fields beyond the documented ones only if they are set', () => {
  const json = toCustomerJson(customerOf({ sendByPostOnly: '1', dontSendEFaktura: '' }));
  expect(Object.keys(json)).toEqual([...DOCUMENTED, 'sendByPostOnly']);
});

test('A customer has the module and the service of the token as numbers', () => {
  const system = { ...SYSTEM, mexcModulesid: 0, mm3servicesid: 77 };
  expect(toCustomerJson({ ...customerOf({}), system })).toMatchObject({
    mexcModulesid: 0,
    mm3servicesid: 77,
  });
});

test('An attribute that is no field is not returned', () => {
  const fields = { name: 'A', identityNumber: '165567037485', version: 3 } as CustomerFields;
  expect(Object.keys(toCustomerJson(customerOf(fields)))).toEqual(DOCUMENTED);
});

test('A row of a list equals the customer that is got by its id', () => {
  fc.assert(
    fc.property(customers, (fields) => {
      const json = toCustomerJson(customerOf(fields as CustomerFields));
      const texts = FIELDS.map(({ name }) => String(json[name] ?? ''));
      const row = parseRow(plainRow(JSON_ROWS, texts));
      expect(row).toEqual(json);
      expect(Object.keys(row)).toEqual(Object.keys(json));
    }),
    { numRuns: 10 },
  );
});

test.each(['"', '\\', '\\"', '\u0000', '\u001f', '\r\n', '\u2028', '"},{"x":"', '</script>', '😀'])(
  'The text %j is escaped in a row of a list',
  (text) => {
    const texts = FIELDS.map(({ type }) => (type === 'string' ? text : '1'));
    const row = parseRow(plainRow(JSON_ROWS, texts));
    expect(row.name).toBe(text);
    expect(Object.keys(row)).toEqual(FIELDS.map(({ name }) => name));
  },
);
