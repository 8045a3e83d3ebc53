import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Client,
  create,
  eventually,
  isLocal,
  localStack,
  newMerchant,
  useApi,
} from '../support/api.ts';

useApi();

/** A change as the API returns it. */
interface Change {
  readonly change: 'created' | 'updated' | 'deleted';
  readonly mexcParamvaluesetsid: number;
  readonly time: string;
  readonly customer?: Record<string, string | number>;
  readonly etag?: string;
}

let merchant: Client;
/** Token of the end of the merchant's log. */
let start: string;

beforeAll(async () => {
  merchant = await newMerchant();
  start = await tokenAtEnd(merchant);
});

/** Follows the changes from a token until no more come, and returns the last token. */
async function tokenAtEnd(client: Client): Promise<string> {
  const first = await client.call('GET', '/customers/changes');
  const { next } = await follow(client, first.body.next);
  return next;
}

async function follow(client: Client, from: string, query = '') {
  const changes: Change[] = [];
  let next = from;
  for (;;) {
    const { status, body } = await client.call('GET', `/customers/changes?after=${next}${query}`);
    expect(status).toBe(200);
    changes.push(...body.changes);
    next = body.next;
    if (!body.more) return { changes, next };
  }
}

/** Follows the changes until these ids have come; they come a moment after the writes. */
function changesOf(client: Client, from: string, ids: readonly number[], query = '') {
  return vi.waitFor(
    async () => {
      const { changes, next } = await follow(client, from, query);
      const found = new Set(changes.map(({ mexcParamvaluesetsid: id }) => id));
      expect(ids.filter((id) => !found.has(id))).toEqual([]);
      return { changes, next };
    },
    { timeout: 50_000, interval: 50 },
  );
}

function createMany(client: Client, count: number, fieldsOf: (index: number) => object) {
  const bodies = Array.from({ length: count }, (_, index) => fieldsOf(index));
  return Promise.all(bodies.map((body) => create(client, { ...body })));
}

const idOf = ({ mexcParamvaluesetsid }: { mexcParamvaluesetsid: number }) => mexcParamvaluesetsid;

test('Without a token the list of changes is empty and has the token from which to follow them', async () => {
  const { status, body, headers } = await merchant.call('GET', '/customers/changes');
  expect(status).toBe(200);
  expect(body).toEqual({ changes: [], next: expect.stringMatching(/^[\w-]+$/), more: false });
  expect(headers.get('cache-control')).toBe('private, no-cache');
});

test('A merchant without customers can follow changes', async () => {
  const empty = await newMerchant(1);
  const { body } = await empty.call('GET', '/customers/changes');
  const { changes, next } = await follow(empty, body.next);
  expect(changes).toEqual([]);
  const customer = await create(empty, { name: 'Först AB' });
  const { changes: first } = await changesOf(empty, next, [idOf(customer)]);
  expect(first).toMatchObject([{ change: 'created', customer: { name: 'Först AB' } }]);
});

test('A created customer is listed with all its fields, its entity tag and a time', async () => {
  const before = Date.now();
  const customer = await create(merchant, { name: 'Ek AB', notes: 'a "quoted" \\ note\n😀' });
  const { changes } = await changesOf(merchant, start, [idOf(customer)]);
  const change = changes.find((each) => idOf(each) === idOf(customer));
  expect(change).toEqual({
    change: 'created',
    mexcParamvaluesetsid: idOf(customer),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    customer,
    etag: '"1"',
  });
  expect(Date.parse(change?.time ?? '')).toBeGreaterThanOrEqual(before - 1_000);
});

test('An updated customer is listed as it is now, with the entity tag that a GET returns', async () => {
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Before' });
  const { next } = await changesOf(merchant, start, [id]);
  const patched = await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'After' } });
  const { changes } = await changesOf(merchant, next, [id]);
  expect(changes).toMatchObject([
    { change: 'updated', customer: patched.body, etag: patched.headers.get('etag') },
  ]);
});

test('A deleted customer is listed by its id alone', async () => {
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Gone' });
  const { next } = await changesOf(merchant, start, [id]);
  await merchant.call('DELETE', `/customers/${id}`);
  const { changes } = await changesOf(merchant, next, [id]);
  expect(changes).toEqual([
    { change: 'deleted', mexcParamvaluesetsid: id, time: expect.any(String) },
  ]);
});

test('Customers of a bulk delete are listed as deleted', async () => {
  const created = await createMany(merchant, 5, (index) => ({ name: `Bulk ${index}` }));
  const ids = created.map(idOf);
  const { next } = await changesOf(merchant, start, ids);
  await merchant.call('DELETE', '/customers', { body: ids });
  const { changes } = await changesOf(merchant, next, ids);
  expect(changes.map(({ change }) => change)).toEqual(ids.map(() => 'deleted'));
});

test('A change of nothing is not listed', async () => {
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Same' });
  const { next } = await changesOf(merchant, start, [id]);
  await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'Same' } });
  const { mexcParamvaluesetsid: later } = await create(merchant, { name: 'Later' });
  const { changes } = await changesOf(merchant, next, [later]);
  expect(changes.map(idOf)).toEqual([later]);
});

test('A customer that changed several times is listed once, with the state of now', async () => {
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Start' });
  const { next } = await changesOf(merchant, start, [id]);
  for (const name of ['One', 'Two', 'Three']) {
    await merchant.call('PATCH', `/customers/${id}`, { body: { name } });
  }
  const { mexcParamvaluesetsid: last } = await create(merchant, { name: 'Last' });
  const { changes } = await changesOf(merchant, next, [last]);
  expect(changes.filter((each) => idOf(each) === id)).toMatchObject([
    { change: 'updated', customer: { name: 'Three' }, etag: '"4"' },
  ]);
});

test('A customer that was created and deleted since is listed as deleted', async () => {
  const { next } = await follow(merchant, start);
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Short-lived' });
  await merchant.call('DELETE', `/customers/${id}`);
  const { changes } = await changesOf(merchant, next, [id]);
  expect(changes.filter((each) => idOf(each) === id)).toEqual([
    { change: 'deleted', mexcParamvaluesetsid: id, time: expect.any(String) },
  ]);
});

describe('Pages of changes', () => {
  test('Pages of any limit list each changed customer once, in the order of the changes', async () => {
    const walk = async () => {
      const client = await newMerchant(1);
      const from = await tokenAtEnd(client);
      const ids = (await createMany(client, 25, (index) => ({ name: `Page ${index}` }))).map(idOf);
      await changesOf(client, from, ids);
      const walks: Change[][] = [];
      for (const limit of [1, 7, 24, 25, 26]) {
        walks.push((await follow(client, from, `&limit=${limit}`)).changes);
      }
      return { ids: ids.toSorted((a, b) => a - b), walks };
    };
    let { ids, walks } = await walk();
    // Changes whose recording has timed out are in the log twice, and then on two pages.
    const areRepeated = () => walks.some(({ length }) => length > ids.length);
    for (let tries = 1; areRepeated() && tries < 5; tries += 1) ({ ids, walks } = await walk());
    for (const changes of walks) {
      expect(changes).toEqual(walks[0]);
      expect(changes.map(idOf).toSorted((a, b) => a - b)).toEqual(ids);
    }
  });

  test('A page has fewer changes than the limit if customers are large, and more says that others follow', async () => {
    const client = await newMerchant(1);
    const from = await tokenAtEnd(client);
    const large = { notes: '"'.repeat(10_000), statuslog: '\\'.repeat(10_000) };
    // 80 kB each, as Lambda's response escapes the escaped text once more.
    const ids: number[] = [];
    for (let sent = 0; sent < 4; sent += 1) {
      const { body } = await client.call('POST', '/customers', { body: Array(20).fill(large) });
      ids.push(
        ...body.map(({ customer }: { customer: { mexcParamvaluesetsid: number } }) =>
          idOf(customer),
        ),
      );
    }
    await changesOf(client, from, ids, '&fields=mexcParamvaluesetsid');
    const { status, body } = await client.call('GET', `/customers/changes?after=${from}`);
    expect(status).toBe(200);
    expect(body.more).toBe(true);
    expect(body.changes.length).toBeGreaterThan(10);
    expect(body.changes.length).toBeLessThan(ids.length);
    const { changes } = await follow(client, from);
    expect(new Set(changes.map(idOf))).toEqual(new Set(ids));
    expect(changes).toHaveLength(ids.length);
  });

  test('A token gives the same changes again', async () => {
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Again' });
    const first = await changesOf(merchant, start, [id]);
    const second = await follow(merchant, start);
    expect(second.changes).toEqual(first.changes);
  });
});

describe('Fields of changed customers', () => {
  test('fields chooses the members of each customer, also version and updated', async () => {
    const { next } = await follow(merchant, start);
    const { mexcParamvaluesetsid: id, date } = await create(merchant, {
      name: 'Few',
      email: 'few@example.com',
    });
    const query = '&fields=name,version,updated';
    const { changes } = await changesOf(merchant, next, [id], query);
    expect(changes).toMatchObject([{ change: 'created', etag: '"1"' }]);
    expect(changes[0]?.customer).toEqual({
      mexcParamvaluesetsid: id,
      name: 'Few',
      version: 1,
      updated: date,
    });
  });

  test('updated is the time of the last change', async () => {
    const { mexcParamvaluesetsid: id, date } = await create(merchant, { name: 'Timed' });
    const { next } = await changesOf(merchant, start, [id]);
    await merchant.call('PATCH', `/customers/${id}`, { body: { fax: '08-1' } });
    const { changes } = await changesOf(merchant, next, [id], '&fields=version,updated');
    const { version, updated } = changes[0]?.customer ?? {};
    expect(version).toBe(2);
    expect(String(updated) > String(date)).toBe(true);
    expect(Date.parse(String(updated))).toBeLessThanOrEqual(Date.now());
  });

  test('fields=mexcParamvaluesetsid leaves the customers out and says what happened', async () => {
    const { next } = await follow(merchant, start);
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Only id' });
    const query = '&fields=mexcParamvaluesetsid';
    const created = await changesOf(merchant, next, [id], query);
    expect(created.changes).toEqual([
      { change: 'created', mexcParamvaluesetsid: id, time: expect.any(String) },
    ]);
    await merchant.call('DELETE', `/customers/${id}`);
    const deleted = await changesOf(merchant, created.next, [id], query);
    expect(deleted.changes).toMatchObject([{ change: 'deleted', mexcParamvaluesetsid: id }]);
  });

  test('A field that no customer has is refused, with a suggestion', async () => {
    const path = `/customers/changes?after=${start}&fields=name,emial`;
    const { status, body } = await merchant.call('GET', path);
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      { parameter: 'fields', detail: expect.stringContaining('did you mean `email`?') },
    ]);
  });
});

describe('Tokens of changes', () => {
  test.each([
    ['an empty text', ''],
    ['any text', 'abc'],
    ['a token with another character', (token: string) => `${token.slice(0, -1)}_`],
    ['a token that is cut', (token: string) => token.slice(0, -4)],
    ['a token twice', (token: string) => token + token],
  ])('%s in place of a token is refused with 400', async (_, change) => {
    const token = typeof change === 'string' ? change : change(start);
    const { status, body } = await merchant.call('GET', `/customers/changes?after=${token}`);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      type: '/problems/invalid-changes-token',
      errors: [{ parameter: 'after' }],
    });
  });

  test("A token of another merchant's changes is refused with 400", async () => {
    const other = await newMerchant(1);
    const { body } = await other.call('GET', '/customers/changes');
    const { status } = await merchant.call('GET', `/customers/changes?after=${body.next}`);
    expect(status).toBe(400);
  });

  test('A cursor of the list in place of a token is refused with 400', async () => {
    await createMany(merchant, 2, () => ({ name: 'Cursor' }));
    const { headers } = await merchant.call('GET', '/customers?limit=1');
    const cursor = /cursor=([\w-]+)/.exec(headers.get('link') ?? '')?.[1];
    const { status } = await merchant.call('GET', `/customers/changes?after=${cursor}`);
    expect(status).toBe(400);
  });

  test.runIf(isLocal)(
    'A token whose changes are no longer kept is refused with 410, which says where to start again',
    async () => {
      // Loaded when the stack has set the environment.
      const { createChangesToken } = await import('../../shared/http/changes-token.ts');
      const { merchant_id: id } = JSON.parse(
        Buffer.from(merchant.token.split('.')[1] ?? '', 'base64url').toString(),
      );
      const sinceMs = Date.now() - 91 * 24 * 60 * 60 * 1_000;
      const token = createChangesToken(id, { entry: 0, index: 0, sinceMs });
      const { status, body, headers } = await merchant.call(
        'GET',
        `/customers/changes?after=${token}`,
      );
      expect(status).toBe(410);
      expect(body).toMatchObject({
        type: '/problems/changes-expired',
        title: 'Changes Expired',
        detail: 'These changes are no longer kept. Load all customers again.',
        restart: '/customers/export/csv',
      });
      expect(headers.get('link')).toBe('</customers/export/csv>; rel="start"');
    },
  );
});

test.runIf(isLocal)(
  'A token that was idle while the entries after it expired is refused with 410',
  async () => {
    const { createChangesToken } = await import('../../shared/http/changes-token.ts');
    const name = crypto.randomUUID();
    const client = await newMerchant(1, { merchant: name });
    const { mexcParamvaluesetsid: id } = await create(client, { name: 'Expired' });
    const { body } = await client.call('GET', '/customers/changes');
    await changesOf(client, body.next, [id]);
    const dynamodb = new DynamoDBClient({ endpoint: localStack().dynamodbEndpoint });
    const TableName = localStack().table;
    const { Items = [] } = await dynamodb.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :entries)',
        ExpressionAttributeValues: {
          ':pk': { S: `MERCHANT#${name}` },
          ':entries': { S: 'CHANGES#' },
        },
      }),
    );
    for (const { pk, sk } of Items) {
      await dynamodb.send(
        new DeleteItemCommand({ TableName, Key: { pk, sk } as Record<string, AttributeValue> }),
      );
    }
    // Within the retention of now, which was shorter when the entries were written.
    const sinceMs = Date.now() - 80 * 24 * 60 * 60 * 1_000;
    const token = createChangesToken(name, { entry: 0, index: 0, sinceMs });
    const { status } = await client.call('GET', `/customers/changes?after=${token}`);
    expect(status).toBe(410);
  },
);

test('Every fault of a request for changes is reported at once', async () => {
  const { status, body } = await merchant.call(
    'GET',
    '/customers/changes?limit=1001&fields=x&filter=search',
  );
  expect(status).toBe(400);
  expect(body.errors.map(({ parameter }: { parameter: string }) => parameter).toSorted()).toEqual([
    'fields',
    'filter',
    'limit',
  ]);
});

describe('A first load', () => {
  const exports: [string, string, unknown?][] = [
    ['GET', '/customers/export/csv'],
    ['GET', '/customers/export/xml'],
    ['GET', '/customers/export/xlsx'],
    ['GET', '/customers/export/jsonl'],
    ['GET', '/customers/export/csv?filter=isUnknown'],
    ['POST', '/customers/export/csv'],
    ['POST', '/customers/export/xml'],
    ['POST', '/customers/export/xlsx'],
    ['POST', '/customers/export/jsonl'],
  ];

  test.each(exports)(
    '%s %s returns the token from which to follow changes',
    async (method, path) => {
      const client = await newMerchant(1);
      const { mexcParamvaluesetsid: id } = await create(client, { name: 'Loaded' });
      const body = method === 'POST' ? { body: [id] } : {};
      const loaded = await eventually(async () => {
        const response = await client.call(method, path, body);
        expect(response.body).toMatchObject({ count: 1, changesFrom: expect.any(String) });
        return response;
      });
      await client.call('PATCH', `/customers/${id}`, { body: { name: 'Changed since' } });
      const { mexcParamvaluesetsid: other } = await create(client, { name: 'Created since' });
      const { changes } = await changesOf(client, loaded.body.changesFrom, [id, other]);
      expect(changes.map(({ customer }) => customer?.name).toSorted()).toEqual([
        'Changed since',
        'Created since',
      ]);
    },
  );

  test('A redirect to the file has the token in the header Changes-From', async () => {
    const { status, headers } = await merchant.call('GET', '/customers/export/csv', {
      headers: { accept: 'text/csv' },
    });
    expect(status).toBe(303);
    const { changes } = await follow(merchant, headers.get('changes-from') ?? '');
    expect(changes.length).toBeGreaterThan(0);
  });
});
