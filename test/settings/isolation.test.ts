import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  COMPANY,
  type Command,
  type EntityTag,
  type ExportFormat,
  type Fields,
  type FilterName,
  type Merchant,
  newMerchants,
  PERSON,
  responsesSeen,
} from '../support/acting-merchant.ts';
import { type Client, isLocal, useApi } from '../support/api.ts';
import { iterations } from '../support/iterations.ts';
import { rowOf } from '../support/register-model.ts';

// Merchants who use the same ids, keys and numbers act concurrently. Each must get the responses that
// it would get if the others did not exist.

useApi();

const TIMEOUT = 600_000;
/** Maximum rows of a synchronous export in this test. */
const FEW = 20;
process.env[ENVIRONMENT.longExportRows] = String(FEW);

/** A number that no customer has. */
const NOBODY = '202100-5489';
const ids = fc.integer({ min: 1, max: 8 });
const fields = fc.record(
  {
    name: fc.constantFrom('Nisse', 'Åsa'),
    companyno: fc.constantFrom(COMPANY, PERSON),
    email: fc.constantFrom('1', '2'),
    notes: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['name', 'companyno', 'email'] },
);
const tags = fc.constantFrom<EntityTag>(undefined, undefined, 'own', 'of another', 'old', '*');
const filters = fc.constantFrom<FilterName | undefined>(
  undefined,
  undefined,
  'own mark',
  "another's mark",
  'shared name',
  'isCompany',
  '!isCompany',
);
const limits = fc.integer({ min: 1, max: 3 });
const formats = fc.constantFrom<ExportFormat>('csv', 'xml');
const someIds = fc.uniqueArray(ids, { minLength: 1, maxLength: 4 });

const doing = <const D extends Command['do'], T extends object>(
  what: D,
  parameters: { [K in keyof T]: fc.Arbitrary<T[K]> },
) => fc.record({ do: fc.constant(what), ...parameters }) as fc.Arbitrary<{ do: D } & T>;

const creating = doing('create', {
  fields,
  key: fc.constantFrom(undefined, undefined, 'key-1', 'key-2'),
});
const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: creating },
  { weight: 3, arbitrary: doing('get', { id: ids, ifNoneMatch: tags }) },
  {
    weight: 2,
    arbitrary: doing('list', { limit: limits, start: fc.nat({ max: 4 }), filter: filters }),
  },
  { weight: 2, arbitrary: doing('walk', { limit: limits, filter: filters }) },
  { weight: 1, arbitrary: doing('count', { filter: filters }) },
  {
    weight: 3,
    arbitrary: doing('change', {
      id: ids,
      fields: fields.map((some): Fields => some),
      ifMatch: tags,
    }),
  },
  { weight: 2, arbitrary: doing('delete', { id: ids, ifMatch: tags }) },
  { weight: 1, arbitrary: doing('delete many', { ids: someIds }) },
  { weight: 2, arbitrary: doing('look up', { number: fc.constantFrom(COMPANY, PERSON, NOBODY) }) },
  { weight: 1, arbitrary: doing('export by filter', { format: formats, filter: filters }) },
  { weight: 1, arbitrary: doing('export by ids', { format: formats, ids: someIds }) },
  {
    weight: 2,
    arbitrary: doing('use a cursor', {
      how: fc.constantFrom('of another' as const, 'spliced' as const, 'changed' as const),
      at: fc.nat({ max: 60 }),
    }),
  },
);
/** Begins with customers, so that there is data to protect. */
const programs = fc
  .tuple(fc.array(creating, { minLength: 3, maxLength: 4 }), fc.array(commands, { size: '+1' }))
  .map(([first, then]): readonly Command[] => [...first, ...then.slice(0, 12)]);
const FIRST = { name: 'Nisse', companyno: COMPANY, email: '1' };
/** Gets each response once, in the first run; random commands would sometimes miss one. */
const EVERYTHING: readonly Command[] = [
  { do: 'create', fields: FIRST, key: undefined },
  { do: 'create', fields: FIRST, key: 'key' },
  { do: 'create', fields: FIRST, key: 'key' },
  { do: 'create', fields: { ...FIRST, email: '2' }, key: 'key' },
  { do: 'create', fields: { ...FIRST, companyno: PERSON }, key: undefined },
  { do: 'get', id: 1, ifNoneMatch: 'own' },
  { do: 'get', id: 2, ifNoneMatch: undefined },
  { do: 'get', id: 3, ifNoneMatch: '*' },
  { do: 'change', id: 1, fields: { ...FIRST, email: '2' }, ifMatch: 'own' },
  { do: 'change', id: 1, fields: FIRST, ifMatch: 'old' },
  { do: 'change', id: 3, fields: FIRST, ifMatch: undefined },
  { do: 'look up', number: COMPANY },
  { do: 'look up', number: PERSON },
  { do: 'look up', number: NOBODY },
  { do: 'walk', limit: 1, filter: undefined },
  { do: 'use a cursor', how: 'changed', at: 3 },
  { do: 'export by ids', format: 'csv', ids: [2, 3] },
  { do: 'export by ids', format: 'xml', ids: [3, 4] },
  { do: 'delete', id: 1, ifMatch: 'old' },
  { do: 'delete', id: 1, ifMatch: undefined },
  { do: 'delete', id: 1, ifMatch: '*' },
  { do: 'delete many', ids: [1, 2] },
];
const SWAPPING: readonly Command[] = [
  { do: 'use a cursor', how: 'of another', at: 0 },
  { do: 'use a cursor', how: 'spliced', at: 12 },
];
/** Reads all data of a merchant at the end. */
const AUDIT: readonly Command[] = [
  { do: 'walk', limit: 3, filter: undefined },
  { do: 'count', filter: undefined },
  { do: 'count', filter: 'shared name' },
  { do: 'list', limit: 3, start: 1, filter: 'isCompany' },
  { do: 'export by filter', format: 'csv', filter: 'own mark' },
  { do: 'export by filter', format: 'xml', filter: undefined },
];

describe.runIf(isLocal)('Isolation of merchants', () => {
  test('Each of several concurrent merchants gets the responses that it gets alone', {
    timeout: TIMEOUT,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(programs, programs, programs),
        fc.array(commands, { maxLength: 4 }) as fc.Arbitrary<readonly Command[]>,
        async (all, together) => {
          const merchants = await newMerchants();
          await Promise.all(
            merchants.map(async (merchant, index) => {
              for (const command of all[index] ?? []) await merchant.act(command);
            }),
          );
          // The same command on different data, at the same time.
          for (const command of [...together, ...AUDIT]) {
            await Promise.all(merchants.map((merchant) => merchant.act(command)));
          }
        },
      ),
      {
        numRuns: iterations({ short: 2, long: 20 }),
        examples: [[[EVERYTHING, EVERYTHING, EVERYTHING], SWAPPING]],
        // A race is not reproduced reliably while fast-check shrinks the programs.
        endOnFailure: true,
      },
    );
    // Each endpoint was called, and each way tried in which another's data might be returned.
    expect([...responsesSeen].sort()).toEqual(
      expect.arrayContaining([
        ...['change 200', 'change 404', 'change 412', 'count 200', 'create 200', 'create 422'],
        ...['delete 200', 'delete 404', 'delete 412', 'delete many 200', 'export by ids 200'],
        ...['export by ids 404', 'export by filter 200', 'get 200', 'get 304', 'get 404'],
        ...['list 200', 'look up 200', 'look up 404', 'use a cursor changed 400'],
        ...['use a cursor of another 400', 'use a cursor spliced 400', 'walk 200'],
      ]),
    );
  });

  test('Concurrent long exports of two merchants write separate files, and neither sees the other', async () => {
    const [one, two] = (await newMerchants()) as [Merchant, Merchant];
    await Promise.all([one, two].map((merchant) => createMany(merchant, FEW + 1)));
    const formats = ['csv', 'xml'] as const;
    const under = await Promise.all(
      [one, two].flatMap((merchant) =>
        formats.map(async (format) => {
          const { status, headers } = await merchant.client.call(
            'GET',
            `/customers/export/${format}`,
          );
          expect(status).toBe(202);
          return { merchant, format, location: headers.get('location') as string };
        }),
      ),
    );
    for (const { merchant, location } of under) {
      // While it runs, and after it is ready.
      const other = merchant === one ? two : one;
      await expectUnknownExport(other.client, location);
      expect(await readyAt(merchant.client, location)).toBeDefined();
      await expectUnknownExport(other.client, location);
    }
    await Promise.all(
      under.map(async ({ merchant, format, location }) => {
        const { url, bytes, count } = await readyAt(merchant.client, location);
        expect(count).toBe(FEW + 1);
        expect(new URL(url).pathname).toContain(`/exports/${merchant.name}/`);
        await merchant.expectRows(url, format, merchant.model.select().map(rowOf), bytes);
      }),
    );
  });

  test('Responses do not reveal whether another merchant has customers', async () => {
    const [caller, other] = (await newMerchants()) as [Merchant, Merchant];
    const ask = () => inOrder(REQUESTS, (request) => plainResponse(caller.client, request));
    const before = await ask();
    await createMany(other, 3);
    const { headers } = await other.client.call('GET', '/customers?limit=1');
    expect(headers.get('link')).not.toBeNull();
    const after = await ask();
    expect(after).toEqual(before);
    // The same requests have other responses if there are customers.
    const known = await inOrder(REQUESTS, (request) => plainResponse(other.client, request));
    for (const [index, request] of REQUESTS.entries()) {
      expect.soft(known[index], request.join(' ')).not.toEqual(after[index]);
    }
  });

  test("A merchant cannot fetch another's file with a presigned URL of its own", async () => {
    const [one, two] = (await newMerchants()) as [Merchant, Merchant];
    const urls = [];
    for (const merchant of [one, two]) {
      await createMany(merchant, 1);
      const { body } = await merchant.client.call('GET', '/customers/export/csv');
      expect((await fetch(body.url)).status).toBe(200);
      urls.push(new URL(body.url));
    }
    const [own, another] = urls as [URL, URL];
    const prefix = another.pathname.split('/').slice(0, -1).join('/');
    const guesses = [
      another.pathname,
      another.pathname + own.search,
      `${own.pathname}/../..${another.pathname.split('/exports')[1]}${own.search}`,
      `${prefix}/${own.search}`,
      `/${own.pathname.split('/')[1]}${own.search}`,
      `/${own.pathname.split('/')[1]}?list-type=2&prefix=exports/`,
    ];
    for (const guess of guesses) {
      const response = await fetch(own.origin + guess);
      expect.soft(response.status, guess).toBe(403);
      expect.soft(await response.text()).not.toContain(two.mark);
    }
  });
});

/** Requests of a merchant without customers, whose responses must not depend on other merchants. */
const REQUESTS: readonly (readonly [
  method: string,
  path: string,
  headers?: Record<string, string>,
  body?: unknown,
])[] = [
  ['GET', '/customers/1'],
  ['GET', '/customers/1', { 'if-none-match': '"1"' }],
  ['GET', '/customers/1', { 'if-none-match': '*' }],
  ['PATCH', '/customers/1', {}, { name: 'B' }],
  ['PATCH', '/customers/1', { 'if-match': '"1"' }, { name: 'B' }],
  ['PATCH', '/customers/1', { 'if-match': '"9"' }, { name: 'B' }],
  ['DELETE', '/customers/2', { 'if-match': '"9"' }],
  ['GET', '/customers'],
  ['GET', '/customers?limit=1'],
  ['GET', '/customers?start=1'],
  ['GET', '/customers?filter=search&search=betamark'],
  ['GET', '/customers/count'],
  ['GET', '/customers/count?filter=isCompany'],
  ['GET', `/customers/count?filter=rangeByDate&from=2000-01-01&to=2100-01-01`],
  ['GET', `/customers/searchByOrgNumber/${COMPANY}`],
  ['GET', '/customers/export/csv'],
  ['GET', '/customers/export/xml?filter=isCompany'],
  ['POST', '/customers/export/csv', {}, [1, 2, 3]],
  ['POST', '/customers/export/xml', {}, [1, 2, 3]],
  ['DELETE', '/customers/1', { 'if-match': '"1"' }],
  ['DELETE', '/customers/2'],
  ['DELETE', '/customers', {}, [1, 2, 3]],
];

/**
 * Returns a response byte for byte, with its file, but without what differs between calls: request
 * id, time, the file's random name, and the token of changes, which has a time in it.
 */
async function plainResponse(
  { url, token }: Client,
  [method, path, headers = {}, body]: (typeof REQUESTS)[number],
) {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const requestId = response.headers.get('apigw-requestid') ?? '';
  const text = (await response.text()).replace(requestId, 'ID');
  const address = /"url":"([^"]+)"/.exec(text)?.[1];
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => !/^(?:date|apigw-requestid)$/.test(name)),
    text: text
      .replace(/"url":"[^"]+","expires":"[^"]+"/, 'FILE')
      .replace(/"changesFrom":"[^"]+"/, 'TOKEN')
      // Midnight can pass between the two responses that are compared.
      .replace(/customers-\d{4}-\d\d-\d\d/, 'customers-DAY'),
    file: address && (await (await fetch(address)).text()),
  };
}

/** Creates customers, each with the merchant's mark. */
async function createMany(merchant: Merchant, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const fields = { name: 'Nisse', companyno: COMPANY, email: String(left % 3) };
    await merchant.act({ do: 'create', fields, key: undefined });
  }
}

/** Expects the same response as for an export that never existed. */
async function expectUnknownExport(client: Client, location: string): Promise<void> {
  const id = location.split('/').at(-1) as string;
  const never = crypto.randomUUID();
  const answers = [];
  for (const exportId of [id, never]) {
    const answer = await plainResponse(client, ['GET', `/customers/exports/${exportId}`]);
    expect(answer.status).toBe(404);
    answers.push({ ...answer, text: answer.text.replaceAll(exportId, 'EXPORT') });
  }
  expect(answers[0]).toEqual(answers[1]);
}

async function readyAt(client: Client, location: string) {
  return vi.waitFor(
    async () => {
      const { body } = await client.call('GET', location);
      expect(body.state).toBe('ready');
      return body;
    },
    { timeout: 50_000, interval: 200 },
  );
}

async function inOrder<A, B>(all: readonly A[], work: (one: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (const one of all) done.push(await work(one));
  return done;
}
