import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, clientOf, create, isLocal, newMerchant, useApi } from '../support/api.ts';
import { expectProblem, type Place } from '../support/problem.ts';

useApi();

/** Has two customers, and after each bad request still just those. */
let merchant: Client;
let ids: number[];
let before: unknown;

beforeAll(async () => {
  merchant = await newMerchant();
  ids = [];
  for (const name of ['A', 'B']) ids.push((await create(merchant, { name })).mexcParamvaluesetsid);
  before = await register();
});

async function register() {
  const { body } = await merchant.call('GET', '/customers');
  const { headers } = await merchant.call('GET', `/customers/${ids[0]}`);
  return { body, etag: headers.get('etag') };
}

type Call = Parameters<Client['call']>[2];

/** Expects a refusal that says where the request is wrong, and a register that is unchanged. */
async function expectRefused(
  status: number,
  places: readonly Place[],
  method: string,
  path: string,
  options?: Call,
) {
  const answer = await merchant.call(method, path, options);
  expectProblem(answer, status, places);
  expect(await register()).toEqual(before);
  return answer;
}

/** In a path, stands for the id of a customer. */
const pathOf = (path: string) => path.replace('{id}', String(ids[0]));

const TAKE_A_CUSTOMER = [
  ['POST', '/customers'],
  ['PATCH', '/customers/{id}'],
] as const;
const TAKE_IDS = [
  ['DELETE', '/customers'],
  ['POST', '/customers/export/csv'],
  ['POST', '/customers/export/xml'],
] as const;

describe.each([...TAKE_A_CUSTOMER, ...TAKE_IDS])('a body of %s %s', (method, path) => {
  const refused = (status: number, places: readonly Place[], options?: Call) =>
    expectRefused(status, places, method, pathOf(path), options);

  test.each([
    ['is missing', ''],
    ['is cut off', '{"name": "A"'],
    ['has single quotes', "{'name': 'A'}"],
    ['has a comma too many', '[1,]'],
    ['is two values', '[1] [2]'],
    ['has a number that JSON does not have', '[NaN]'],
    ['is a form', 'name=A&fax=1'],
  ])('is 400 where it %s', async (_, body) => {
    await refused(400, [{ pointer: '' }], { body });
  });

  test.each(['text', '"text"', '1', 'true', 'null'])('is 400 where it is %s', async (body) => {
    await refused(400, [{ pointer: '' }], { body });
  });

  test('is 400 where it is of the other kind', async () => {
    const isOfIds = method === 'DELETE' || path.includes('export');
    await refused(400, [{ pointer: '' }], { body: isOfIds ? { ids } : [{ name: 'A' }] });
  });

  test.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'json',
  ])('is 415 as %s', async (type) => {
    const headers = { 'content-type': type };
    const answer = await refused(415, [{ header: 'Content-Type' }], { body: ids, headers });
    expect(answer.headers.get('accept')).toBe('application/json');
  });

  test('is 413 over 1 MiB', async () => {
    await refused(413, [], { body: `[${'1,'.repeat(600_000)}1]` });
  });
});

describe.each(TAKE_A_CUSTOMER)('a customer for %s %s', (method, path) => {
  const refused = (places: readonly Place[], body: unknown) =>
    expectRefused(400, places, method, pathOf(path), { body });

  test.each([1, true, null, ['A'], { sv: 'A' }])('has no text that is %j', async (name) => {
    await refused([{ pointer: '/name' }], { name, fax: '1' });
  });

  test.each([
    ['of more than 255 characters', { name: 'å'.repeat(256) }, '/name'],
    ['of more than 10,000 characters', { notes: '😀'.repeat(10_001) }, '/notes'],
    ['with a control character', { statuslog: 'a\u0000b' }, '/statuslog'],
    ['with half of a surrogate pair', '{"name":"\\ud83d"}', '/name'],
    ['with a noncharacter', { name: '\uffff' }, '/name'],
  ])('has no text %s', async (_, body, pointer) => {
    await refused([{ pointer }], body);
  });

  test('has no letter that an encoding other than UTF-8 has cost', async () => {
    const { url, token } = merchant;
    const response = await fetch(url + pathOf(path), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.from('{"name":"\xc5ke"}', 'latin1'),
    });
    expect(await response.json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '/name', detail: expect.stringContaining('UTF-8') }],
    });
    expect(await register()).toEqual(before);
  });

  test.each([
    ['a misspelt one', '{"nmae":"A"}', '/nmae'],
    ['one in other case', '{"Name":"A"}', '/Name'],
    ['an empty one', '{"":"A"}', '/'],
    ['one that a pointer has to escape', '{"a/b~c":"A"}', '/a~1b~0c'],
    ['what would change every object', '{"__proto__":{"name":"A"}}', '/__proto__'],
    ['a constructor', '{"constructor":{"prototype":{"name":"A"}}}', '/constructor'],
    ['one of every object', '{"toString":"A"}', '/toString'],
    ['what the store has beside the fields', '{"version":7}', '/version'],
    ['the key of the store', '{"pk":"MERCHANT#other"}', '/pk'],
  ])('has no unknown member: %s', async (_, body, pointer) => {
    const { body: told } = await refused([{ pointer }], body);
    expect(told.errors[0].detail).toBe(
      /^\/n.?a?m.?e?$/i.test(pointer)
        ? 'is not a field of a customer; did you mean `name`?'
        : 'is not a field of a customer',
    );
    expect(({} as { name?: unknown }).name).toBeUndefined();
  });

  test('is not repeated at full length where it is wrong', async () => {
    const name = '~'.repeat(100_000);
    const answer = await merchant.call(method, pathOf(path), {
      body: { [name]: 'A', name: [name] },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body).length).toBeLessThan(2_000);
  });

  test('is told of all that is wrong with it at once', async () => {
    await refused([{ pointer: '/name' }, { pointer: '/fax' }, { pointer: '/nmae' }], {
      name: 1,
      fax: [],
      nmae: '',
    });
  });
});

describe.each(TAKE_IDS)('an id in the body of %s %s', (method, path) => {
  test.each([
    ['zero', '[0]'],
    ['zero in digits', '["0"]'],
    ['negative', '[-1]'],
    ['a fraction', '[1.5]'],
    ['beyond 2^53', '[9007199254740993]'],
    ['beyond 2^53 in digits', '["9007199254740993"]'],
    ['infinite', '[1e999]'],
    ['no digits', '["abc"]'],
    ['digits with white space', '[" 1"]'],
    ['hexadecimal', '["0x1"]'],
    ['empty', '[""]'],
    ['nothing', '[null]'],
    ['a list', '[[1]]'],
    ['an object', '[{"mexcParamvaluesetsid":1}]'],
  ])('is never %s', async (_, body) => {
    const answer = await expectRefused(400, [{ pointer: '/0' }], method, path, { body });
    expect(answer.body.errors[0].detail).toMatch(/^must be an integer from 1 to 9007199254740991/);
  });

  test('that is wrong is told by its place, and nothing is done for the others', async () => {
    const body = [...ids, 'x', 3, -1];
    await expectRefused(400, [{ pointer: '/2' }, { pointer: '/4' }], method, path, { body });
  });
});

describe.each(['GET', 'PATCH', 'DELETE'])('an id in the path of %s', (method) => {
  test.each([
    '0',
    '-1',
    '1.5',
    '1e3',
    '9007199254740992',
    '12345678901234567890',
    'abc',
    '%20',
    '1%20',
    '%00',
    '1%2F2',
  ])('is never %s', async (id) => {
    const options = method === 'PATCH' ? { body: { name: 'C' } } : {};
    const { status, body } = await merchant.call(method, `/customers/${id}`, options);
    // An encoded slash makes another path of it, which is not there.
    expect(status).toBe(id.includes('%2F') ? 404 : 400);
    if (status === 400) {
      expect(body.errors).toEqual([
        { parameter: 'mexcParamvaluesetsid', detail: expect.stringContaining('integer') },
      ]);
    }
    expect(await register()).toEqual(before);
  });
});

describe('a parameter that a call does not have', () => {
  test.each([
    ['GET', '/customers?limt=1', 'limt'],
    ['GET', '/customers?__proto__=1', '__proto__'],
    ['GET', '/customers/count?limit=1', 'limit'],
    ['GET', '/customers/{id}?fields=name', 'fields'],
    ['GET', '/customers/searchByOrgNumber/5567037485?land=SE', 'land'],
    ['POST', '/customers?dryRun=1', 'dryRun'],
    ['PATCH', '/customers/{id}?upsert=1', 'upsert'],
    ['DELETE', '/customers/{id}?force=1', 'force'],
    ['DELETE', '/customers?all=1', 'all'],
  ])('is 400 and named: %s %s', async (method, path, parameter) => {
    const body = method === 'DELETE' && path.includes('?all') ? ids : { name: 'C' };
    const options = method === 'GET' ? {} : { body };
    await expectRefused(400, [{ parameter }], method, pathOf(path), options);
  });
});

test('a request that is wrong in a thousand places is told of the first hundred', async () => {
  const query = Array.from({ length: 1_000 }, (_, index) => `a${index}`).join('&');
  const { status, body } = await merchant.call('GET', `/customers?${query}`);
  expect(status).toBe(400);
  expect(body.detail).toContain('(and 999 more; see errors)');
  expect(body.errors).toHaveLength(100);
  expect(body.errors[99].parameter).toBe('a99');
});

describe('Accept', () => {
  test.each([
    'application/json; charset=utf-8',
    'text/html, application/json;q=0.5',
    'application/*;indent=2',
    ' , ',
    '',
  ])('%j is met with JSON', async (accept) => {
    const answer = await merchant.call('GET', '/customers', { headers: { accept } });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  test.each([
    ['GET', '/customers'],
    ['POST', '/customers'],
    ['DELETE', '/customers/{id}'],
  ])('that cannot be met by %s %s is 406', async (method, path) => {
    for (const accept of ['text/html', 'application/json;q=0', 'text/csv']) {
      const options = { headers: { accept }, ...(method === 'POST' && { body: {} }) };
      await expectRefused(406, [{ header: 'Accept' }], method, pathOf(path), options);
    }
  });
});

describe('a path or method that the API does not have', () => {
  test.each([
    '/customer',
    '/customers/',
    '/customers/1/notes',
    '/customers/export/pdf/x',
    '/customers/searchByOrgNumber/',
    '/CUSTOMERS',
    '/favicon.ico',
  ])('is 404: %s', async (path) => {
    await expectRefused(404, [], 'GET', path);
  });

  test.each([
    ['PUT', '/customers/{id}', 'GET, PATCH, DELETE'],
    ['PATCH', '/customers', 'GET, POST, DELETE'],
    ['POST', '/customers/{id}', 'GET, PATCH, DELETE'],
    ['DELETE', '/customers/export/csv', 'GET, POST'],
    ['POST', '/customers/count', 'GET'],
    ['OPTIONS', '/customers', 'GET, POST, DELETE'],
  ])('is 405 and says what there is: %s %s', async (method, path, allow) => {
    const answer = await expectRefused(405, [], method, pathOf(path), { body: {} });
    expect(answer.headers.get('allow')).toBe(allow);
  });
});

describe('without a token that is good', () => {
  test.each([
    ['no token', ''],
    ['no token at all but a word', 'abc'],
    ['another signature', 'changed'],
  ])('%s is 401, in the words of API Gateway', async (_, kind) => {
    const token = kind === 'changed' ? `${merchant.token.slice(0, -8)}AAAAAAAA` : kind;
    for (const [method, path] of [...TAKE_A_CUSTOMER, ...TAKE_IDS]) {
      const stranger = clientOf(merchant.url, token);
      const answer = await stranger.call(method, pathOf(path), { body: ids });
      expect(answer).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(await register()).toEqual(before);
  });

  test.runIf(isLocal)('a token that may only read cannot write', async () => {
    const name = crypto.randomUUID();
    const owner = await newMerchant(0, { merchant: name });
    const reader = await newMerchant(0, { merchant: name, scopes: ['customers:read'] });
    const { mexcParamvaluesetsid: id } = await create(owner, { name: 'A' });
    const path = `/customers/${id}`;
    for (const [method, target, body] of [
      ['POST', '/customers', {}],
      ['PATCH', path, {}],
      ['DELETE', path, {}],
      ['DELETE', '/customers', [id]],
    ] as const) {
      const answer = await reader.call(method, target, { body });
      expect(answer).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
    }
    expect(await reader.call('GET', path)).toMatchObject({ status: 200, body: { name: 'A' } });
  });

  test.runIf(isLocal).each([
    ['missing', undefined],
    ['empty', ''],
    ['with a separator of keys', 'a#CUSTOMER'],
    ['with a control character', 'a\u0000'],
    ['a list', ['a', 'b']],
    ['a step up in a path', '..'],
  ])('a merchant claim that is %s is 403', async (_, claim) => {
    const stranger = await newMerchant(0, { merchant: claim as string });
    expectProblem(await stranger.call('GET', '/customers'), 403);
    expectProblem(await stranger.call('POST', '/customers', { body: {} }), 403);
  });
});

test('a query that cannot be decoded is taken as it is, and is never 500', async () => {
  const { status, body } = await merchant.call('GET', '/customers?filter=search&search=%E0%A4%A');
  expect([200, 400]).toContain(status);
  expect(body).toBeInstanceOf(status === 200 ? Array : Object);
});
