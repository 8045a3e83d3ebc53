import { beforeAll, describe, expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import { type Client, clientOf, create, isLocal, newMerchant, useApi } from '../support/api.ts';
import { type ErrorLocation, expectProblem } from '../support/problem.ts';

useApi();

/** Has two customers, which no bad request may change. */
let merchant: Client;
let ids: number[];
let before: unknown;

beforeAll(async () => {
  merchant = await newMerchant();
  ids = [];
  for (const name of ['A', 'B']) ids.push((await create(merchant, { name })).mexcParamvaluesetsid);
  before = await register();
});

/** Each field of a customer, its version and when it was written. */
const ALL = [...FIELDS.map(({ name }) => name), 'version', 'updated'].join();

async function register() {
  // Without compression, as it is read after each request.
  const headers = { 'accept-encoding': 'identity' };
  const { status, body } = await merchant.call('GET', `/customers?fields=${ALL}`, { headers });
  expect(status).toBe(200);
  return body;
}

type Call = Parameters<Client['call']>[2];

/** Expects an error that names the wrong parts of the request, and unchanged customers. */
async function expectRefused(
  status: number,
  places: readonly ErrorLocation[],
  method: string,
  path: string,
  options?: Call,
) {
  const answer = await merchant.call(method, path, options);
  expectProblem(answer, status, places);
  expect(await register()).toEqual(before);
  return answer;
}

/** Replaces `{id}` by the id of a customer. */
const pathOf = (path: string) => path.replace('{id}', String(ids[0]));

const TAKE_A_CUSTOMER = [
  ['POST', '/customers'],
  ['PATCH', '/customers/{id}'],
] as const;
const TAKE_IDS = [
  ['DELETE', '/customers'],
  ['POST', '/customers/export/csv'],
  ['POST', '/customers/export/xml'],
  ['POST', '/customers/export/xlsx'],
  ['POST', '/customers/export/jsonl'],
] as const;

describe.each([...TAKE_A_CUSTOMER, ...TAKE_IDS])('The body of %s %s', (method, path) => {
  const refused = (status: number, places: readonly ErrorLocation[], options?: Call) =>
    expectRefused(status, places, method, pathOf(path), options);

  test.each([
    ['is missing', ''],
    ['is truncated', '{"name": "A"'],
    ['has single quotes', "{'name': 'A'}"],
    ['has a trailing comma', '[1,]'],
    ['contains two values', '[1] [2]'],
    ['contains NaN, which is no JSON', '[NaN]'],
    ['is form-encoded', 'name=A&fax=1'],
  ])(`${method} ${path} returns 400 if the body %s`, async (_, body) => {
    await refused(400, [{ pointer: '' }], { body });
  });

  test.each(['text', '"text"', '1', 'true', 'null'])(
    `${method} ${path} returns 400 if the body is %s`,
    async (body) => {
      await refused(400, [{ pointer: '' }], { body });
    },
  );

  test(`${method} ${path} returns 400 if the body is an object in place of an array, or the reverse`, async () => {
    const isOfIds = method === 'DELETE' || path.includes('export');
    // POST takes a customer or an array of them, and no array in an array.
    const [body, pointer] = isOfIds
      ? [{ ids }, '']
      : method === 'POST'
        ? [[[{ name: 'A' }]], '/0']
        : [[{ name: 'A' }], ''];
    await refused(400, [{ pointer }], { body });
  });

  test.each([
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'json',
  ])(`${method} ${path} returns 415 if Content-Type is %s`, async (type) => {
    const headers = { 'content-type': type };
    const answer = await refused(415, [{ header: 'Content-Type' }], { body: ids, headers });
    expect(answer.headers.get('accept')).toMatch(/^application\/json(?:, |$)/);
  });

  test(`${method} ${path} returns 413 if the body is larger than 1 MiB`, async () => {
    await refused(413, [], { body: `[${'1,'.repeat(600_000)}1]` });
  });
});

describe.each(TAKE_A_CUSTOMER)('Customers in the body of %s %s', (method, path) => {
  const refused = (places: readonly ErrorLocation[], body: unknown) =>
    expectRefused(400, places, method, pathOf(path), { body });

  test.each([1, true, null, ['A'], { sv: 'A' }])(
    `${method} ${path} returns 400 if a text is %j`,
    async (name) => {
      await refused([{ pointer: '/name' }], { name, fax: '1' });
    },
  );

  test.each([
    ['of more than 255 characters', { name: 'å'.repeat(256) }, '/name'],
    ['of more than 10,000 characters', { notes: '😀'.repeat(10_001) }, '/notes'],
    ['with a control character', { statuslog: 'a\u0000b' }, '/statuslog'],
    ['with half of a surrogate pair', '{"name":"\\ud83d"}', '/name'],
    ['with a noncharacter', { name: '\uffff' }, '/name'],
  ])(`${method} ${path} returns 400 for a text %s`, async (_, body, pointer) => {
    await refused([{ pointer }], body);
  });

  test(`${method} ${path} returns 400 if a letter is lost since the body is not UTF-8`, async () => {
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
    ['a misspelt field', '{"nmae":"A"}', '/nmae'],
    ['a field in another case', '{"Name":"A"}', '/Name'],
    ['an empty name', '{"":"A"}', '/'],
    ['a name that a JSON pointer escapes', '{"a/b~c":"A"}', '/a~1b~0c'],
    ['the prototype of all objects', '{"__proto__":{"name":"A"}}', '/__proto__'],
    ['a constructor', '{"constructor":{"prototype":{"name":"A"}}}', '/constructor'],
    ['a method of every object', '{"toString":"A"}', '/toString'],
    ['an attribute of the stored item', '{"version":7}', '/version'],
    ['the partition key', '{"pk":"MERCHANT#other"}', '/pk'],
  ])(`${method} ${path} returns 400 for an unknown member: %s`, async (_, body, pointer) => {
    const { body: problem } = await refused([{ pointer }], body);
    expect(problem.errors[0].detail).toBe(
      /^\/n.?a?m.?e?$/i.test(pointer)
        ? 'is not a field of a customer; did you mean `name`?'
        : 'is not a field of a customer',
    );
    expect(({} as { name?: unknown }).name).toBeUndefined();
  });

  test(`${method} ${path} repeats long texts of a bad request in part only`, async () => {
    const name = '~'.repeat(100_000);
    const answer = await merchant.call(method, pathOf(path), {
      body: { [name]: 'A', name: [name] },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body).length).toBeLessThan(2_000);
  });

  test(`${method} ${path} returns all errors of a customer at once`, async () => {
    await refused([{ pointer: '/name' }, { pointer: '/fax' }, { pointer: '/nmae' }], {
      name: 1,
      fax: [],
      nmae: '',
    });
  });
});

describe.each(TAKE_IDS)('Ids in the body of %s %s', (method, path) => {
  test.each([
    ['zero', '[0]'],
    ['zero as a string', '["0"]'],
    ['negative', '[-1]'],
    ['a fraction', '[1.5]'],
    ['above 2^53', '[9007199254740993]'],
    ['above 2^53 as a string', '["9007199254740993"]'],
    ['infinite', '[1e999]'],
    ['a string without digits', '["abc"]'],
    ['a string with white space', '[" 1"]'],
    ['hexadecimal', '["0x1"]'],
    ['an empty string', '[""]'],
    ['null', '[null]'],
    ['a list', '[[1]]'],
    ['an object', '[{"mexcParamvaluesetsid":1}]'],
  ])(`${method} ${path} returns 400 if an id is %s`, async (_, body) => {
    const answer = await expectRefused(400, [{ pointer: '/0' }], method, path, { body });
    expect(answer.body.errors[0].detail).toMatch(/^must be an integer from 1 to 9007199254740991/);
  });

  test(`${method} ${path} returns 400 with the position of each wrong id, and changes nothing`, async () => {
    const body = [...ids, 'x', 3, -1];
    await expectRefused(400, [{ pointer: '/2' }, { pointer: '/4' }], method, path, { body });
  });
});

describe.each(['GET', 'PATCH', 'DELETE'])('Ids in the path of %s', (method) => {
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
  ])(`${method} /customers/%s is rejected`, async (id) => {
    const options = method === 'PATCH' ? { body: { name: 'C' } } : {};
    const { status, body } = await merchant.call(method, `/customers/${id}`, options);
    // With an encoded slash it is another path, which no route has.
    expect(status).toBe(id.includes('%2F') ? 404 : 400);
    if (status === 400) {
      expect(body.errors).toEqual([
        { parameter: 'mexcParamvaluesetsid', detail: expect.stringContaining('integer') },
      ]);
    }
    expect(await register()).toEqual(before);
  });
});

const IMPORT = `/customers/imports/${crypto.randomUUID()}`;
/** Calls of an import, which need its id. */
const OF_AN_IMPORT = [
  ['GET', ''],
  ['DELETE', ''],
  ['POST', '/plan'],
  ['GET', '/rows'],
  ['GET', '/rejected'],
  ['POST', '/apply'],
  ['POST', '/undo'],
] as const;
const SEEN = { 'if-match': '"p-seen"' };

describe('Imports', () => {
  const refused = async (
    status: number,
    places: readonly ErrorLocation[],
    method: string,
    path: string,
    options?: Call,
  ) => {
    const answer = await expectRefused(status, places, method, path, options);
    // No import is created, of which a merchant may have so many.
    expect((await merchant.call('GET', '/customers/imports')).body).toEqual([]);
    return answer;
  };

  test.each([
    ['is missing', ''],
    ['is truncated', '{"format": "csv"'],
    ['contains two values', '{} {}'],
    ['is an array', '[{"format":"csv","bytes":1,"match":["customerid"]}]'],
    ['is a text', '"csv"'],
    ['is null', 'null'],
  ])('POST /customers/imports returns 400 if the body %s', async (_, body) => {
    await refused(400, [{ pointer: '' }], 'POST', '/customers/imports', { body });
  });

  test('POST /customers/imports returns all that is missing from the body at once', async () => {
    const places = ['/format', '/bytes', '/match'].map((pointer) => ({ pointer }));
    await refused(400, places, 'POST', '/customers/imports', { body: {} });
  });

  test.each([
    ['format', ['xls', 1, null, ['csv'], '__proto__']],
    ['bytes', [0, -1, 1.5, 268_435_457, '75', null]],
    ['match', ['customerid', [], null, {}]],
    ['mode', ['all', '', null, 1]],
    ['empty', ['drop', true]],
    ['unkeyed', ['skip', null]],
    ['encoding', ['utf-7', 'UTF-8']],
    ['delimiter', [';', 'pipe']],
    ['sheet', [1, 'x'.repeat(256)]],
    ['formulas', ['yes', false]],
    ['filename', [1, 'x'.repeat(256)]],
    ['sha256', ['abc', 'x'.repeat(44), 1]],
  ])(
    'POST /customers/imports returns 400 for a wrong %s, and names no other member',
    async (name, values) => {
      for (const value of values) {
        const body = { format: 'csv', bytes: 1, match: ['customerid'], [name]: value };
        await refused(400, [{ pointer: `/${name}` }], 'POST', '/customers/imports', { body });
      }
    },
  );

  test.each([
    ['an unknown field', ['name'], ['/0']],
    ['several', ['customerid', 'name', 1, null], ['/1', '/2', '/3']],
    ['a field twice', ['customerid', 'customerid'], ['']],
  ])('POST /customers/imports returns 400 if match has %s', async (_, match, places) => {
    const body = { format: 'csv', bytes: 1, match };
    const pointers = places.map((place) => ({ pointer: `/match${place}` }));
    await refused(400, pointers, 'POST', '/customers/imports', { body });
    if (places[0] === '') return;
    const path = `/customers/imports?match=${match.slice(0, 2)}`;
    const headers = { 'content-type': 'text/csv' };
    await refused(400, [{ parameter: 'match' }], 'POST', path, {
      body: 'customerid\n1\n',
      headers,
    });
  });

  test.each(['text/plain', 'application/pdf', 'application/json; charset=iso-8859-1', 'csv'])(
    'POST /customers/imports returns 415 if Content-Type is %s, with the types of files in Accept',
    async (type) => {
      const options = { body: 'customerid\n1\n', headers: { 'content-type': type } };
      const path = '/customers/imports?match=customerid';
      const answer = await refused(415, [{ header: 'Content-Type' }], 'POST', path, options);
      expect(answer.headers.get('accept')).toMatch(/^application\/json.*, text\/csv/);
    },
  );

  test('POST /customers/imports returns 413 if the file in the body is larger than 1 MiB', async () => {
    const options = {
      body: `customerid\n${'1\n'.repeat(600_000)}`,
      headers: { 'content-type': 'text/csv' },
    };
    await refused(413, [], 'POST', '/customers/imports?match=customerid', options);
  });

  test('POST /customers/imports returns 400 for a file without options, and for each wrong one', async () => {
    const options = { body: 'customerid\n1\n', headers: { 'content-type': 'text/csv' } };
    await refused(400, [{ parameter: 'match' }], 'POST', '/customers/imports', options);
    const query =
      'match=customerid&mode=all&empty=&unkeyed=1&encoding=x&delimiter=,&formulas=no&sheat=A';
    const wrong = ['sheat', 'mode', 'empty', 'unkeyed', 'encoding', 'delimiter', 'formulas'];
    const places = wrong.map((parameter) => ({ parameter }));
    await refused(400, places, 'POST', `/customers/imports?${query}`, options);
  });

  test.each(OF_AN_IMPORT)(
    '%s /customers/imports/{importId}%s returns 400 if the id is no UUID',
    async (method, call) => {
      for (const id of ['1', 'abc', '%00', `${crypto.randomUUID()}0`, '..%2f..']) {
        const path = `/customers/imports/${id}${call}`;
        const { status, body } = await merchant.call(method, path, { headers: SEEN });
        // With an encoded slash it is another path, which no route has.
        expect(status).toBe(id.includes('%2f') ? 404 : 400);
        if (status === 400) expect(body.errors).toMatchObject([{ parameter: 'importId' }]);
      }
    },
  );

  test.each(OF_AN_IMPORT)(
    '%s /customers/imports/{importId}%s returns 404 if there is no such import',
    async (method, call) => {
      const answer = await refused(404, [], method, IMPORT + call, { headers: SEEN });
      expect(answer.body.type).toBe('/problems/import-not-found');
    },
  );

  test.each(OF_AN_IMPORT)(
    '%s /customers/imports/{importId}%s returns 400 for an unknown parameter, before it looks for the import',
    async (method, call) => {
      const path = `${IMPORT}${call}?dryRun=1`;
      await refused(400, [{ parameter: 'dryRun' }], method, path, { headers: SEEN });
    },
  );

  test('GET /customers/imports/{importId}/rows returns all wrong parameters at once', async () => {
    const query = 'outcome=create,gone&result=done&after=-1&limit=1001&page=2';
    const places = ['page', 'outcome', 'result', 'after', 'limit'].map((parameter) => ({
      parameter,
    }));
    await refused(400, places, 'GET', `${IMPORT}/rows?${query}`);
  });

  test('GET /customers/imports/{importId}/rejected returns 400 for an unknown format, and 406 if Accept excludes all', async () => {
    await refused(400, [{ parameter: 'format' }], 'GET', `${IMPORT}/rejected?format=pdf`);
    const headers = { accept: 'text/html' };
    await refused(406, [{ header: 'Accept' }], 'GET', `${IMPORT}/rejected`, { headers });
  });

  test.each([
    ['no object', '[]', ['']],
    ['truncated', '{"leaveOut":', ['']],
    ['leaveOut is no array', '{"leaveOut":"invalid"}', ['/leaveOut']],
    ['leaveOut is null', '{"leaveOut":null}', ['/leaveOut']],
    [
      'leaveOut has outcomes that are not left out',
      '{"leaveOut":["invalid","create",1]}',
      ['/leaveOut/1', '/leaveOut/2'],
    ],
    ['it has other members', '{"leaveOut":["none"],"force":true}', ['/leaveOut/0', '/force']],
  ])(
    'POST /customers/imports/{importId}/apply returns 400 for its body: %s',
    async (_, body, pointers) => {
      const places = pointers.map((pointer) => ({ pointer }));
      await refused(400, places, 'POST', `${IMPORT}/apply`, { body, headers: SEEN });
    },
  );

  test.each(['/apply', '/undo'])(
    'POST /customers/imports/{importId}%s returns 428 without If-Match',
    async (call) => {
      await refused(428, [{ header: 'If-Match' }], 'POST', IMPORT + call);
    },
  );

  test.each([
    ['PUT', '/customers/imports', 'GET, HEAD, POST'],
    ['PATCH', IMPORT, 'GET, HEAD, DELETE'],
    ['GET', `${IMPORT}/apply`, 'POST'],
    ['DELETE', `${IMPORT}/undo`, 'POST'],
    ['POST', `${IMPORT}/rows`, 'GET, HEAD'],
  ])('%s %s returns 405 with the methods of the path in Allow', async (method, path, allow) => {
    const options = method === 'GET' ? {} : { body: {} };
    const answer = await refused(405, [], method, path, options);
    expect(answer.headers.get('allow')).toBe(allow);
  });
});

describe('Unknown parameters', () => {
  test.each([
    ['GET', '/customers?limt=1', 'limt'],
    ['GET', '/customers?__proto__=1', '__proto__'],
    ['GET', '/customers/count?limit=1', 'limit'],
    ['GET', '/customers/{id}?field=name', 'field'],
    ['GET', '/customers/searchByOrgNumber/5567037485?land=SE', 'land'],
    ['POST', '/customers?dryRun=1', 'dryRun'],
    ['PATCH', '/customers/{id}?upsert=1', 'upsert'],
    ['DELETE', '/customers/{id}?force=1', 'force'],
    ['DELETE', '/customers?all=1', 'all'],
  ])('%s %s returns 400 and names the unknown parameter', async (method, path, parameter) => {
    const body = method === 'DELETE' && path.includes('?all') ? ids : { name: 'C' };
    const options = method === 'GET' ? {} : { body };
    await expectRefused(400, [{ parameter }], method, pathOf(path), options);
  });
});

test('A request with 1,000 unknown parameters returns 100 errors, and looks at no others', async () => {
  const query = Array.from({ length: 1_000 }, (_, index) => `a${index}`).join('&');
  const { status, body } = await merchant.call('GET', `/customers?${query}`);
  expect(status).toBe(400);
  expect(body.detail).toContain('(and 99 more; see errors)');
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
  ])('Accept: %j returns JSON', async (accept) => {
    const answer = await merchant.call('GET', '/customers', { headers: { accept } });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  test.each([
    ['GET', '/customers'],
    ['POST', '/customers'],
    ['DELETE', '/customers/{id}'],
  ])('%s %s returns 406 if Accept excludes JSON', async (method, path) => {
    for (const accept of ['text/html', 'application/json;q=0', 'text/csv']) {
      const options = { headers: { accept }, ...(method === 'POST' && { body: {} }) };
      await expectRefused(406, [{ header: 'Accept' }], method, pathOf(path), options);
    }
  });
});

describe('Unknown paths and methods', () => {
  test.each([
    '/customer',
    '/customers/',
    '/customers/1/notes',
    '/customers/export/pdf/x',
    '/customers/searchByOrgNumber/',
    '/CUSTOMERS',
    '/favicon.png',
  ])('GET %s returns 404, since no route has this path', async (path) => {
    const answer = await expectRefused(404, [], 'GET', path);
    // A missing customer has a type of its own, on which a caller may delete its own copy.
    expect(answer.body.type).toBe('about:blank');
  });

  test.each([
    ['/customers/999999999', '/problems/customer-not-found'],
    [`/customers/exports/${crypto.randomUUID()}`, '/problems/export-not-found'],
    [IMPORT, '/problems/import-not-found'],
    ['/customers/searchByOrgNumber/5560360793', '/problems/number-not-found'],
  ] as const)('GET %s returns 404 with the type %s', async (path, type) => {
    expectProblem(await merchant.call('GET', path), 404, [], type);
  });

  test.each([
    ['PUT', '/customers/{id}', 'GET, HEAD, PATCH, DELETE'],
    ['PATCH', '/customers', 'GET, HEAD, POST, DELETE'],
    ['POST', '/customers/{id}', 'GET, HEAD, PATCH, DELETE'],
    ['DELETE', '/customers/export/csv', 'GET, HEAD, POST'],
    ['POST', '/customers/count', 'GET, HEAD'],
    ['OPTIONS', '/customers', 'GET, HEAD, POST, DELETE'],
    // The literal segment is not an id of a customer.
    ['PATCH', '/customers/count', 'GET, HEAD'],
    ['DELETE', '/customers/count', 'GET, HEAD'],
    ['PATCH', '/customers/exports', 'GET, HEAD'],
  ])('%s %s returns 405 with the methods of the path in Allow', async (method, path, allow) => {
    const answer = await expectRefused(405, [], method, pathOf(path), { body: {} });
    expect(answer.headers.get('allow')).toBe(allow);
  });
});

describe('Missing and invalid tokens', () => {
  test.each([
    ['A request without a token', ''],
    ['A token that is no JWT', 'abc'],
    ['A token with another signature', 'changed'],
  ])('%s is rejected with 401 and the message of API Gateway', async (_, kind) => {
    const token = kind === 'changed' ? `${merchant.token.slice(0, -8)}AAAAAAAA` : kind;
    const ofImports = OF_AN_IMPORT.map(([method, call]) => [method, IMPORT + call] as const);
    const imports = [
      ['POST', '/customers/imports'],
      ['GET', '/customers/imports'],
    ] as const;
    for (const [method, path] of [...TAKE_A_CUSTOMER, ...TAKE_IDS, ...imports, ...ofImports]) {
      const stranger = clientOf(merchant.url, token);
      const options = method === 'GET' ? {} : { body: ids };
      const answer = await stranger.call(method, pathOf(path), options);
      expect(answer).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(await register()).toEqual(before);
  });

  test.runIf(isLocal)('A token with the scope customers:read alone cannot write', async () => {
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
      ['POST', '/customers/imports', { format: 'csv', bytes: 1, match: ['customerid'] }],
      ...OF_AN_IMPORT.map(([method, call]) => [method, IMPORT + call, undefined] as const),
    ] as const) {
      const answer = await reader.call(method, target, { body });
      expect(answer).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
    }
    expect(await reader.call('GET', path)).toMatchObject({ status: 200, body: { name: 'A' } });
  });

  test.runIf(isLocal).each([
    ['missing', undefined],
    ['empty', ''],
    ['a text with a key separator', 'a#CUSTOMER'],
    ['a text with a control character', 'a\u0000'],
    ['a list', ['a', 'b']],
    ['the parent folder', '..'],
  ])('A merchant claim that is %s returns 403', async (_, claim) => {
    const stranger = await newMerchant(0, { merchant: claim as string });
    expectProblem(await stranger.call('GET', '/customers'), 403);
    expectProblem(await stranger.call('POST', '/customers', { body: {} }), 403);
  });
});

test('A query that cannot be percent-decoded returns 400', async () => {
  const path = '/customers?filter=search&search=%E0%A4%A';
  await expectRefused(400, [{ parameter: 'search' }], 'GET', path);
});
