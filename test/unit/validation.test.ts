import middy from '@middy/core';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  commaSeparated,
  integer,
  oneOf,
  type ParsedRequest,
  queryValues,
  type RequestSchemas,
  repeated,
  single,
  suggestion,
  validation,
} from '../../shared/http/validation.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const request = {
  path: { id: single(() => integer(1, 99)) },
  query: {
    limit: single(() => integer(1, 1_000), 100),
    order: single(() => oneOf(['up', 'down'])),
    text: repeated(() => v.pipe(v.array(v.string()), v.maxLength(2, 'may be given twice'))),
    names: commaSeparated(() => v.array(v.string())),
  },
  headers: { 'If-Match': single(() => v.pipe(v.string(), v.minLength(3, 'is too short'))) },
  body: () => v.object({ name: v.string('must be a string'), age: v.number('must be a number') }),
  rules: [
    ({ body }, sent) =>
      body?.name === 'x' && sent.has('order') ? [{ pointer: '/name', detail: 'cannot be x' }] : [],
  ],
} satisfies RequestSchemas;

type Parsed = ParsedRequest<typeof request>;
const VALID_BODY = { name: 'a', age: 1 };

function validate(
  query: string,
  { id = '7', headers = {}, body = VALID_BODY as unknown } = {},
): Promise<Parsed> {
  const event = { ...httpEvent({ query, headers, pathParameters: { id } }), body };
  return middy<typeof event, Parsed>()
    .use(validation(request))
    .handler(async (parsed) => parsed as unknown as Parsed)(event as never, lambdaContext());
}

async function faultsOf(...parameters: Parameters<typeof validate>) {
  try {
    await validate(...parameters);
  } catch (error) {
    return (error as { faults: unknown }).faults;
  }
  return [];
}

describe('Parsed values', () => {
  test('Parsed values replace path, query and body of the event', async () => {
    const { pathParameters, queryStringParameters, body } = await validate('limit=5&order=up');
    expect({ pathParameters, queryStringParameters, body }).toEqual({
      pathParameters: { id: 7 },
      queryStringParameters: { limit: 5, order: 'up' },
      body: VALID_BODY,
    });
  });

  test('A parameter that is not sent has its default value, and is absent without one', async () => {
    expect((await validate('')).queryStringParameters).toEqual({ limit: 100 });
  });

  test.each([
    ['text=a&text=b', ['a', 'b']],
    ['text[]=a&text[]=b', ['a', 'b']],
    ['text[0]=a&text[1]=b', ['a', 'b']],
    ['text%5B0%5D=a%2Cb', ['a,b']],
  ])('A repeated parameter is parsed as a list in any notation: %s', async (query, text) => {
    expect((await validate(query)).queryStringParameters).toMatchObject({ text });
  });

  test.each(['names=a,b,c', 'names=a&names=b,%20c', 'names[0]=a&names[1]=b,c'])(
    'A comma-separated parameter is parsed as one list in any notation: %s',
    async (query) => {
      expect((await validate(query)).queryStringParameters).toMatchObject({
        names: ['a', 'b', 'c'],
      });
    },
  );
});

describe('Errors', () => {
  test('Errors of all parts of a request are reported at once', async () => {
    const query = 'limit=0&order=left&lmit=1&text=a&text=b&text=c';
    const options = { id: '100', headers: { 'if-match': 'x' }, body: { name: 1, age: 'y' } };
    expect(await faultsOf(query, options)).toEqual([
      { parameter: 'lmit', detail: 'is not a parameter of this call; did you mean `limit`?' },
      { parameter: 'id', detail: 'must be an integer from 1 to 99; got `100`' },
      { parameter: 'limit', detail: 'must be an integer from 1 to 1000; got `0`' },
      { parameter: 'order', detail: 'must be up or down; got `left`' },
      { parameter: 'text', detail: 'may be given twice' },
      { header: 'If-Match', detail: 'is too short' },
      { pointer: '/name', detail: 'must be a string' },
      { pointer: '/age', detail: 'must be a number' },
    ]);
  });

  test.each(['', '1e3', '0x10', '-1', '1.5', ' 1', '１', '1'.repeat(17)])(
    'An integer written as "%s" is rejected',
    async (text) => {
      const got = text ? `\`${text}\`` : 'an empty text';
      const fault = {
        parameter: 'limit',
        detail: `must be an integer from 1 to 1000; got ${got}`,
      };
      expect(await faultsOf(`limit=${encodeURIComponent(text)}`)).toEqual([fault]);
    },
  );

  test('A single parameter is rejected if it is given twice', async () => {
    const fault = { parameter: 'limit', detail: 'may be given only once' };
    expect(await faultsOf('limit=1&limit[]=1')).toEqual([fault]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'The unknown parameter %s is rejected',
    async (name) => {
      expect(await faultsOf(`${name}=1`)).toMatchObject([{ parameter: name }]);
    },
  );

  test('Errors of rules are reported together with others', async () => {
    const faults = await faultsOf('order=left', { body: { ...VALID_BODY, name: 'x' } });
    expect(faults).toEqual([
      { parameter: 'order', detail: 'must be up or down; got `left`' },
      { pointer: '/name', detail: 'cannot be x' },
    ]);
  });

  test('An error that ends a value amid an emoji has no half of it, which clients cannot decode', async () => {
    const faults = await faultsOf(`order=${encodeURIComponent(`${'x'.repeat(49)}😀y`)}`);
    const detail = `must be up or down; got \`${'x'.repeat(49)}\ufffd…\``;
    expect(faults).toEqual([{ parameter: 'order', detail }]);
  });

  test('An error repeats 50 characters of a long value, and no control characters', async () => {
    const faults = await faultsOf(`order=${encodeURIComponent(`a\n${'x'.repeat(9_000)}`)}`);
    const detail = `must be up or down; got \`a ${'x'.repeat(48)}…\``;
    expect(faults).toEqual([{ parameter: 'order', detail }]);
  });

  test('An error repeats a long parameter name at most once', async () => {
    const [fault] = (await faultsOf(`${'x'.repeat(9_000)}=1`)) as { parameter: string }[];
    expect(JSON.stringify(fault).length).toBeLessThan(10_000);
  });
});

test.each([
  ['nmae', 'name'],
  ['Name', 'name'],
  ['nam', 'name'],
  ['namee', 'name'],
  ['nane', 'name'],
  ['e-mail', 'email'],
  ['company_no', 'companyno'],
])('The unknown name %s gets the suggestion %s', (sent, known) => {
  expect(suggestion(sent, ['name', 'email', 'companyno'])).toBe(`did you mean \`${known}\`?`);
});

test.each(['', 'n', 'fullname', 'x'.repeat(1_000), 'eman'])(
  'The unknown name "%s" gets no suggestion',
  (sent) => {
    expect(suggestion(sent, ['name', 'email', 'companyno'])).toBeUndefined();
  },
);

test('Query values keep commas, order and empty strings', () => {
  expect([...queryValues('b=1,2&a=&b=x%26y&a')]).toEqual([
    ['b', ['1,2', 'x&y']],
    ['a', ['', '']],
  ]);
});
