import type * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import type { Customer, CustomerFields } from '../../shared/domain/customer.ts';
import type { WritableFieldName } from '../../shared/domain/fields.ts';
import { api, json } from '../../shared/http/api.ts';
import { type Contract, defineContract } from '../../shared/http/contract.ts';
import type {
  createCustomerSchema,
  updateCustomerSchema,
} from '../../shared/http/customer-schemas.ts';
import { integer, single } from '../../shared/http/validation.ts';

// `npm run check` compiles this file: each line marked by @ts-expect-error must not compile.

test('A misspelt field does not compile', () => {
  const fields: CustomerFields = { name: 'Ek AB', email: 'post@example.com' };
  // @ts-expect-error -- a typo of `name`
  const misspelt: CustomerFields = { nmae: 'Ek AB' };
  // @ts-expect-error -- a system field is not writable
  const system: CustomerFields = { date: '2026-01-31' };
  // @ts-expect-error -- a typo of `email`
  expectTypeOf(fields.emial).toBeUndefined();
  // @ts-expect-error -- a typo of `postcode`
  const name: WritableFieldName = 'postkode';
  expectTypeOf([misspelt, system, name]).toBeArray();
});

test('The output of body schemas has the domain types, without casts', () => {
  type Created = v.InferOutput<ReturnType<typeof createCustomerSchema>>;
  expectTypeOf<Created>().toEqualTypeOf<CustomerFields>();
  type Changed = v.InferOutput<ReturnType<typeof updateCustomerSchema>>;
  expectTypeOf<Changed['changes']>().toEqualTypeOf<CustomerFields>();
  expectTypeOf<Changed['mexcParamvaluesetsid']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Customer['fields']>().toEqualTypeOf<CustomerFields>();
});

test('A handler has types for the parsed values of its request and for no others', () => {
  const query = { limit: single(() => integer(1, 9), 5), start: single(() => integer(0, 9)) };
  api({ query }).handler(async ({ queryStringParameters, body }, { merchantId }) => {
    expectTypeOf(queryStringParameters.limit).toEqualTypeOf<number>();
    expectTypeOf(queryStringParameters.start).toEqualTypeOf<number | undefined>();
    // @ts-expect-error -- a typo of `limit`
    expectTypeOf(queryStringParameters.limt).toBeUndefined();
    expectTypeOf(body).toEqualTypeOf<undefined>();
    expectTypeOf(merchantId).toEqualTypeOf<string>();
    return json({});
  });
});

test('A contract that lacks the description or example of a parameter, or has a scope or an error of no known name, does not compile', () => {
  const request = { query: { limit: single(() => integer(1, 9)) } };
  const facts = {
    method: 'GET',
    path: '/test',
    scope: 'customers:read',
    summary: 'Test',
    request,
    responses: {},
  } as const;
  const parameters = { limit: ['Maximum.', 3] } as const;
  expectTypeOf(defineContract({ ...facts, parameters })).toExtend<Contract<typeof request>>();
  // @ts-expect-error -- `limit` is not described
  defineContract({ ...facts, parameters: {} });
  // @ts-expect-error -- `limit` has no example
  defineContract({ ...facts, parameters: { limit: ['Maximum.'] } });
  // @ts-expect-error -- the scope is misspelt
  defineContract({ ...facts, scope: 'customer:read', parameters });
  const errors = { 404: ['None.', '/problems/custmer-not-found'] } as const;
  // @ts-expect-error -- the type of the error is misspelt
  defineContract({ ...facts, errors, parameters });
});
