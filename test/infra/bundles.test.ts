import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_FUNCTION, DOCUMENT_ROUTES, ENDPOINTS } from '../../infra/endpoints.ts';
import { createAuthorizer } from '../../infra/local/authorizer.ts';
import { createGateway } from '../../infra/local/gateway.ts';
import { AUDIENCE } from '../../infra/local/issuer.ts';
import { createLambda } from '../../infra/local/lambda.ts';
import { type LocalServer, start } from '../../infra/local/server.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';
import {
  type Client,
  clientOf,
  create,
  eventually,
  isLocal,
  localStack,
  useApi,
} from '../support/api.ts';
import { sharedBundles } from '../support/bundles.ts';
import { sheetIn } from '../support/export-files.ts';
import { expectProblem } from '../support/problem.ts';

// What is deployed is not the files that the other tests run, but bundles of them, from which much
// is left out. Here the bundle of every endpoint is called, in ways that need most of what is in it.

useApi();
const FEW = 2;

describe.runIf(isLocal)('the bundles, in place of their files,', () => {
  let gateway: LocalServer;
  let merchant: Client;
  /** Of the second customer: ids may be left out. */
  let id: number;

  beforeAll(async () => {
    process.env[ENVIRONMENT.longExportRows] = String(FEW);
    const { folder } = await sharedBundles();
    const lambda = createLambda(
      async (name) => (await import(/* @vite-ignore */ join(folder, name, 'index.mjs'))).handler,
    );
    const server = createGateway({
      routes: [...ENDPOINTS, ...DOCUMENT_ROUTES],
      defaultFunction: DEFAULT_FUNCTION,
      authorize: createAuthorizer(localStack().issuer, AUDIENCE),
      invoke: lambda,
    });
    gateway = await start(server, 0);
    merchant = clientOf(gateway.endpoint, await localStack().token({ merchant: 'bundles' }));
  });
  afterAll(() => gateway.close());

  const withKey = (body: object) => ({ body, headers: { 'idempotency-key': 'key' } });

  test('create, once for one key', async () => {
    const first = await merchant.call('POST', '/customers', withKey({ name: 'Å', fax: '1' }));
    expect(first.status).toBe(200);
    expect(
      await merchant.call('POST', '/customers', withKey({ name: 'Å', fax: '1' })),
    ).toMatchObject({ status: 200, body: first.body });
    expectProblem(await merchant.call('POST', '/customers', withKey({ name: 'B' })), 422, [
      { header: 'Idempotency-Key' },
    ]);
    const other = await create(merchant, { name: 'B', companyno: '556703-7485' });
    id = other.mexcParamvaluesetsid;
  });

  test('create an array of customers, once for one key', async () => {
    const array = Array.from({ length: 120 }, (_, index) => ({ name: `${index}` }));
    const headers = { 'idempotency-key': 'array' };
    const first = await merchant.call('POST', '/customers', { body: array, headers });
    expect(first.status).toBe(201);
    const again = await merchant.call('POST', '/customers', { body: array, headers });
    expect(again.body).toEqual(first.body);
    const ids = first.body.map(
      ({ customer }: { customer: { mexcParamvaluesetsid: number } }) =>
        customer.mexcParamvaluesetsid,
    );
    expect((await merchant.call('DELETE', '/customers', { body: ids })).body.count).toBe(120);
    expectProblem(await merchant.call('POST', '/customers', { body: [{}, { nmae: '' }] }), 400, [
      { pointer: '/1/nmae' },
    ]);
  });

  test('get, list, count and search', async () => {
    expect((await merchant.call('GET', '/customers/1')).body.name).toBe('Å');
    expect((await merchant.call('GET', '/customers')).body).toHaveLength(2);
    await eventually(async () => {
      expect((await merchant.call('GET', '/customers/count?filter=isCompany')).body.count).toBe(1);
      const found = await merchant.call('GET', '/customers?filter=search&search=å');
      expect(found.body).toHaveLength(1);
    });
  });

  test('change, many at once and only where it is expected', async () => {
    const change = (name: string) =>
      merchant.call('PATCH', '/customers/1', { body: { [name]: name } });
    const answers = await Promise.all(['fax', 'notes', 'email', 'state'].map(change));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const stale = { body: { fax: '' }, headers: { 'if-match': '"1"' } };
    expectProblem(await merchant.call('PATCH', '/customers/1', stale), 412, [
      { header: 'If-Match' },
    ]);
  });

  test('create and replace by customerid, and look up by values', async () => {
    const put = (name: string) =>
      merchant.call('PUT', '/customers/by-customerid/K1', {
        body: { name, email: 'k@example.com' },
      });
    const created = await put('K');
    expect([created.status, (await put('L')).status, (await put('L')).status]).toEqual([
      201, 200, 200,
    ]);
    const { mexcParamvaluesetsid } = created.body;
    const query = 'customerid=K1&email=K@example.com';
    await eventually(async () => {
      const { body } = await merchant.call('GET', `/customers?${query}&filter=isUnknown`);
      expect(body).toMatchObject([{ mexcParamvaluesetsid, name: 'L' }]);
    });
    expect((await merchant.call('GET', `/customers/count?${query}`)).body).toEqual({ count: 1 });
    for (const format of ['csv', 'xml']) {
      const { body } = await merchant.call('GET', `/customers/export/${format}?${query}`);
      expect(body.count).toBe(1);
    }
    const path = `/customers/${mexcParamvaluesetsid}`;
    expect((await merchant.call('DELETE', path)).status).toBe(200);
  });

  test('look up own customers and companies', async () => {
    const lookUp = (number: string) =>
      merchant.call('GET', `/customers/searchByOrgNumber/${number}`);
    await eventually(async () => {
      expect((await lookUp('556703-7485')).headers.get('register-source')).toBe('own');
    });
    for (const [number, source] of [
      ['559987-6546', 'bolagsverket'],
      ['999990010', 'brreg'],
      ['9999001-5', 'prh'],
    ] as const) {
      const { status, headers } = await lookUp(number);
      expect([status, headers.get('register-source')]).toEqual([200, source]);
    }
    expectProblem(await lookUp('9999005-8'), 404);
  });

  test.each(['csv', 'xlsx', 'xml', 'jsonl'])(
    'export as %s, and hand over what takes long',
    async (format) => {
      const path = `/customers/export/${format}`;
      const all = await merchant.call('GET', path);
      expect(all).toMatchObject({ status: 200, body: { count: 2 } });
      const file = Buffer.from(await (await fetch(all.body.url)).arrayBuffer());
      expect(format === 'xlsx' ? sheetIn(file) : file.toString()).toContain('Å');
      const chosen = await merchant.call('POST', path, { body: [id, 999] });
      expect(chosen).toMatchObject({ status: 200, body: { count: 1 } });
      expectProblem(await merchant.call('POST', path, { body: [999] }), 404);

      const third = await create(merchant, { name: 'C' });
      const long = await merchant.call('GET', path);
      expect(long.status).toBe(202);
      await eventually(async () => {
        const { body: job } = await merchant.call('GET', long.headers.get('location') ?? '');
        expect(job).toMatchObject({ state: 'ready', count: 3 });
      });
      await merchant.call('DELETE', `/customers/${third.mexcParamvaluesetsid}`);
    },
  );

  test('serve the API reference, which has no path to a token', async () => {
    const page = await (await fetch(`${gateway.endpoint}/`)).text();
    const [, script] = /<script src="([^"]+)">/.exec(page) ?? [];
    expect((await fetch(gateway.endpoint + script)).status).toBe(200);
    expect(page).toContain('<div id="reference">');
    expect(page).not.toContain('token');
  });

  test('delete one and many, and know no other path', async () => {
    expect((await merchant.call('DELETE', '/customers/1')).status).toBe(200);
    expectProblem(await merchant.call('DELETE', '/customers/1'), 404);
    expect((await merchant.call('DELETE', '/customers', { body: [1, id] })).body.count).toBe(1);
    expectProblem(await merchant.call('GET', '/nowhere'), 404);
  });
});
