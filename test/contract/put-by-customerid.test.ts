import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
import { iterations } from '../support/iterations.ts';
import { untilKnown } from '../support/lost-responses.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

let merchant: Client;
beforeAll(async () => {
  merchant = await newMerchant();
});

let last = 0;
/** Returns a customerid that no customer has. */
const newKey = () => {
  last += 1;
  return `K${last}`;
};

const pathOf = (key: string) => `/customers/by-customerid/${encodeURIComponent(key)}`;
const put = (
  key: string,
  body: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  client = merchant,
) => client.call('PUT', pathOf(key), { body, headers });

async function idsOf(key: string, client = merchant): Promise<number[]> {
  const { body } = await client.call('GET', '/customers?limit=1000');
  return body
    .filter(({ customerid }: { customerid: string }) => customerid === key)
    .map(({ mexcParamvaluesetsid: id }: { mexcParamvaluesetsid: number }) => id);
}

async function indexed(key: string, count: number, client = merchant): Promise<void> {
  const query = `/customers/count?customerid=${encodeURIComponent(key)}`;
  await eventually(async () => expect((await client.call('GET', query)).body.count).toBe(count));
}

describe('PUT by customerid', () => {
  test('creates a customer (201), then replaces all of its fields (200), and repeats change nothing', async () => {
    const key = newKey();
    const created = await put(key, { name: 'Ek AB', email: 'ek@example.com' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ customerid: key, name: 'Ek AB', email: 'ek@example.com' });
    const id = created.body.mexcParamvaluesetsid;
    expect(created.headers.get('location')).toBe(`/customers/${id}`);
    expect(created.headers.get('etag')).toBe('"1"');
    const replaced = await put(key, { customerid: ` ${key} `, name: 'Ek', fax: '1' });
    expect([replaced.status, replaced.headers.get('location')]).toEqual([200, null]);
    expect(replaced.headers.get('etag')).toBe('"2"');
    const { date } = created.body;
    expect(replaced.body).toMatchObject({ name: 'Ek', fax: '1', email: '', date });
    expect(replaced.body.mexcParamvaluesetsid).toBe(id);
    const again = await put(key, { customerid: ` ${key} `, name: 'Ek', fax: '1' });
    expect([again.status, again.headers.get('etag'), again.body]).toEqual([
      200,
      '"2"',
      replaced.body,
    ]);
    expect((await merchant.call('GET', `/customers/${id}`)).body).toEqual(replaced.body);
  });

  test('ignores system fields in the body, so that a response can be sent back', async () => {
    const key = newKey();
    const { body } = await put(key, { name: 'A' });
    const back = await put(key, { ...body, date: '1999', mexcParamvaluesetsid: 7_777 });
    expect([back.status, back.headers.get('etag'), back.body]).toEqual([200, '"1"', body]);
  });

  test.each(['a/b', 'a%2Fb', '50 %', 'å ö', 'a+b', 'a//b', 'a&b=c#d', '{x}', '/', '漢字', "a'b"])(
    'takes the customerid %s, percent-encoded',
    async (key) => {
      const created = await put(key, { name: 'A' });
      expect([created.status, created.body.customerid]).toEqual([201, key]);
      const again = await put(key, { customerid: key, name: 'B' });
      expect([again.status, again.body.name]).toEqual([200, 'B']);
      await indexed(key, 1);
    },
  );

  test('takes a customerid in another Unicode form, and with spaces around it, for the same', async () => {
    const key = `O\u0308${newKey()}`;
    expect((await put(key, { name: 'A' })).status).toBe(201);
    expect((await put(` ${key.normalize('NFC')} `, { name: 'A' })).status).toBe(200);
    expect((await put(key.toLowerCase(), { name: 'A' })).status).toBe(201);
  });

  test('refuses another customerid in the body, unknown fields and a blank path, all faults at once', async () => {
    const key = newKey();
    expectProblem(await put(key, { customerid: 'other', nmae: 'A' }), 400, [{ pointer: '/nmae' }]);
    expectProblem(await put(key, { customerid: 'other' }), 400, [{ pointer: '/customerid' }]);
    expectProblem(await put(key, { customerid: '', name: 'A' }, { 'if-none-match': '"1"' }), 400, [
      { header: 'If-None-Match' },
    ]);
    expectProblem(await put('  '), 400, [{ parameter: 'customerid' }]);
    expectProblem(await put('x'.repeat(256)), 400, [{ parameter: 'customerid' }]);
    expect((await put('x'.repeat(255))).status).toBe(201);
    expect(await idsOf(key)).toEqual([]);
  });

  test('with If-None-Match: * creates, and is 412 if a customer has the customerid', async () => {
    const key = newKey();
    const isNew = { 'if-none-match': '*' };
    const { status, body } = await put(key, { name: 'A' }, isNew);
    expect(status).toBe(201);
    const refused = await put(key, { name: 'B' }, isNew);
    expectProblem(refused, 412, [{ header: 'If-None-Match' }]);
    expect(refused.body.detail).toContain(String(body.mexcParamvaluesetsid));
    expect(await idsOf(key)).toHaveLength(1);
    const posted = newKey();
    await create(merchant, { customerid: posted });
    await indexed(posted, 1);
    expectProblem(await put(posted, {}, isNew), 412, [{ header: 'If-None-Match' }]);
  });

  test('with If-Match replaces the version named, and is 412 for another one or no customer', async () => {
    const key = newKey();
    expectProblem(await put(key, {}, { 'if-match': '*' }), 412, [{ header: 'If-Match' }]);
    expect(await idsOf(key)).toEqual([]);
    await put(key, { name: 'A' });
    expectProblem(await put(key, { name: 'B' }, { 'if-match': '"2"' }), 412, [
      { header: 'If-Match' },
    ]);
    const replaced = await put(key, { name: 'B' }, { 'if-match': '"1"' });
    expect([replaced.status, replaced.body.name]).toEqual([200, 'B']);
    expect((await put(key, { name: 'C' }, { 'if-match': '*' })).status).toBe(200);
  });

  test('replaces the one customer that POST created with the customerid', async () => {
    const key = newKey();
    const posted = await create(merchant, { customerid: ` ${key}`, name: 'A', fax: '1' });
    await indexed(key, 1);
    const { status, body, headers } = await put(key, { name: 'B' });
    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    expect(body).toMatchObject({ name: 'B', fax: '', customerid: key });
    expect(body.mexcParamvaluesetsid).toBe(posted.mexcParamvaluesetsid);
    // From then on it is the customer of this customerid, whatever POST creates.
    await create(merchant, { customerid: key, name: 'C' });
    await indexed(key, 2);
    expect((await put(key, { name: 'D' })).body.mexcParamvaluesetsid).toBe(
      posted.mexcParamvaluesetsid,
    );
  });

  test('is 409 with the ids if POST created several customers with the customerid', async () => {
    const key = newKey();
    const ids: number[] = [];
    for (const name of ['A', 'B', 'C']) {
      ids.push((await create(merchant, { customerid: key, name })).mexcParamvaluesetsid);
    }
    await indexed(key, 3);
    const refused = await put(key, { name: 'D' });
    expectProblem(refused, 409, [], '/problems/duplicate-customerid');
    expect(refused.body.ids).toEqual(ids);
    expect(refused.body.detail).toBe(
      '3 customers have this customerid. Change or delete all but one of them by their ids.',
    );
    await merchant.call('DELETE', '/customers', { body: ids.slice(1) });
    const replaced = await put(key, { name: 'D' });
    expect([replaced.status, replaced.body.mexcParamvaluesetsid]).toEqual([200, ids[0]]);
  });

  test('is 409 with 100 ids, and says that there may be more, if more customers have the customerid', async () => {
    const key = newKey();
    await merchant.call('POST', '/customers', {
      body: Array.from({ length: 120 }, () => ({ customerid: key })),
    });
    await indexed(key, 120);
    const { body } = await put(key, { name: 'D' });
    expect(body.ids).toHaveLength(100);
    expect(body.detail).toBe(
      '100 customers or more have this customerid. Change or delete all but one of them by their ids.',
    );
  });

  test.each([
    ['DELETE of one', (id: number) => merchant.call('DELETE', `/customers/${id}`)],
    ['DELETE of many', (id: number) => merchant.call('DELETE', '/customers', { body: [id] })],
  ])('creates another customer after %s', async (_, remove) => {
    const key = newKey();
    const first = await put(key, { name: 'A' });
    await remove(first.body.mexcParamvaluesetsid);
    const second = await put(key, { name: 'B' }, { 'if-none-match': '*' });
    expect(second.status).toBe(201);
    expect(second.body.mexcParamvaluesetsid).toBeGreaterThan(first.body.mexcParamvaluesetsid);
  });

  test('creates another customer after the first has got another customerid by PATCH', async () => {
    const [key, other] = [newKey(), newKey()];
    const { body: first } = await put(key, { name: 'A' });
    const path = `/customers/${first.mexcParamvaluesetsid}`;
    await merchant.call('PATCH', path, { body: { customerid: other } });
    const second = await put(key, { name: 'B' });
    expect(second.status).toBe(201);
    await indexed(other, 1);
    const replaced = await put(other, { name: 'C' });
    expect(replaced.body.mexcParamvaluesetsid).toBe(first.mexcParamvaluesetsid);
    // Each is known by its own customerid, also if the first one is back.
    await merchant.call('PATCH', path, { body: { customerid: key } });
    const kept = await put(key, { name: 'D' });
    expect(kept.body.mexcParamvaluesetsid).toBe(second.body.mexcParamvaluesetsid);
  });

  test('keeps the customers of merchants apart', async () => {
    const key = newKey();
    const other = await newMerchant(1);
    expect((await put(key, { name: 'A' })).status).toBe(201);
    expect((await put(key, { name: 'B' }, {}, other)).status).toBe(201);
    expect((await other.call('GET', '/customers')).body).toHaveLength(1);
  });

  test('needs the scope to write', async () => {
    if (!isLocal) return;
    const reader = await newMerchant(0, { scopes: ['customers:read'] });
    expect((await put(newKey(), {}, {}, reader)).status).toBe(403);
  });

  test('has no other method at its path', async () => {
    const { status, headers } = await merchant.call('GET', pathOf('a/b'));
    expect([status, headers.get('allow')]).toEqual([405, 'PUT']);
    expect((await merchant.call('PUT', '/customers/by-customerid/', { body: {} })).status).not.toBe(
      201,
    );
  });
});

describe('PUT by customerid of many at once', () => {
  const requests = iterations({ short: 20, long: 50 });
  test(`creates one customer by ${requests} requests`, async () => {
    const own = await newMerchant(1);
    const answers = await Promise.all(
      Array.from({ length: requests }, (_, index) =>
        untilKnown(() => put('K', { name: String(index % 5) }, {}, own)),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.every((status) => status === 201 || status === 200)).toBe(true);
    expect(new Set(answers.map(({ body }) => body.mexcParamvaluesetsid)).size).toBe(1);
    expect((await own.call('GET', '/customers')).body).toHaveLength(1);
  });

  test('creates one customer by ten requests with If-None-Match', async () => {
    const own = await newMerchant(1);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        put('K', { name: String(index) }, { 'if-none-match': '*' }, own),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array(9).fill(412)]);
    const created = answers.find(({ status }) => status === 201);
    expect((await own.call('GET', '/customers')).body).toEqual([created?.body]);
  });

  test('leaves one customer of a customerid beside deletions and changes of it', async () => {
    const own = await newMerchant(1);
    const ids = new Set<number>();
    const write = async (index: number) => {
      const { status, body } = await untilKnown(() => put('K', { name: String(index) }, {}, own));
      expect([200, 201]).toContain(status);
      ids.add(body.mexcParamvaluesetsid);
      if (index % 3 === 0) await own.call('DELETE', `/customers/${body.mexcParamvaluesetsid}`);
      if (index % 3 === 1) {
        const path = `/customers/${body.mexcParamvaluesetsid}`;
        await own.call('PATCH', path, { body: { customerid: `other ${index}` } });
      }
    };
    const writes = iterations({ short: 15, long: 24 });
    const all = Array.from({ length: writes }, (_, index) => write(index));
    // Each of the others may come before the first deletion; this one does not.
    await Promise.all([...all, all[0]?.then(() => write(writes))]);
    expect((await idsOf('K', own)).length).toBeLessThanOrEqual(1);
    const final = await put('K', { name: 'last' }, {}, own);
    expect(await idsOf('K', own)).toEqual([final.body.mexcParamvaluesetsid]);
    expect(ids.size).toBeGreaterThan(1);
  });
});
