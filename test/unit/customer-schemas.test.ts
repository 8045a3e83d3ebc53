import * as v from 'valibot';
import { expect, test } from 'vitest';
import {
  createCustomerSchema,
  idsSchema,
  updateCustomerSchema,
} from '../../shared/http/customer-schemas.ts';

const SCHEMAS = [
  ['a new customer', createCustomerSchema()],
  ['a change', updateCustomerSchema()],
] as const;

const unknownMembers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, '']));

test.each(SCHEMAS)('The body of %s reports each of 100 unknown members', (_, schema) => {
  const { issues = [] } = v.safeParse(schema, unknownMembers(100));
  expect(issues).toHaveLength(100);
  expect(issues[99]?.message).toBe('is not a field of a customer');
  expect(issues[99]?.path?.[0]?.key).toBe('x99');
});

test.each(SCHEMAS)(
  'The body of %s with 50,000 unknown members reports 100 errors and the number left out',
  (_, schema) => {
    const { issues = [] } = v.safeParse(schema, unknownMembers(50_000));
    expect(issues).toHaveLength(100);
    expect(issues[98]?.path?.[0]?.key).toBe('x98');
    expect(issues[99]?.path ?? []).toEqual([]);
    expect(issues[99]?.message).toBe('has 49901 more members that are not fields of a customer');
  },
);

test.each(SCHEMAS)(
  'The body of %s reports wrong values and unknown members together',
  (_, schema) => {
    const { issues = [] } = v.safeParse(schema, { Name: 'x', email: 1 });
    expect(issues.map(({ path, message }) => [path?.[0]?.key, message])).toEqual([
      ['email', 'must be a string, not 1'],
      ['Name', 'is not a field of a customer; did you mean `name`?'],
    ]);
  },
);

test('A list of 300,000 elements that are not ids reports one error, its length', () => {
  const { issues = [] } = v.safeParse(idsSchema(1_000), Array(300_000).fill({}));
  expect(issues.map(({ message }) => message)).toEqual(['must name at most 1000 customers']);
});

test('A list of 10,000 elements that are not ids reports 99 of them, and that there are more', () => {
  const { issues = [] } = v.safeParse(idsSchema(10_000), [1, ...Array(9_999).fill({})]);
  expect(issues).toHaveLength(100);
  expect(issues.slice(0, 2).map(({ path }) => path?.[0]?.key)).toEqual([1, 2]);
  expect(issues[0]?.message).toMatch(/^must be an integer from 1 to/);
  expect(issues[99]?.message).toBe('has more than 99 elements that are not valid');
});

test('A list in which 99 elements are not ids reports each of them', () => {
  const { issues = [] } = v.safeParse(idsSchema(10_000), [...Array(99).fill('x'), 1]);
  expect(issues.map(({ path }) => path?.[0]?.key)).toEqual([...Array(99).keys()]);
});
