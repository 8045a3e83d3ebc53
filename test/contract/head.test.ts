import { beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { type Client, clientOf, create, isLocal, newMerchant, useApi } from '../support/api.ts';
import { keysInBucket } from '../support/export-bucket.ts';
import { EXPORT_TYPES } from '../support/export-files.ts';

useApi();

const READS = ENDPOINTS.filter(({ method }) => method === 'GET');
const EXPORTS = READS.filter(({ files }) => files === 'write');
const OTHERS = READS.filter((endpoint) => !EXPORTS.includes(endpoint));

/** Headers that differ between any two responses. */
const OF_ONE_RESPONSE = ['apigw-requestid', 'date', 'connection', 'keep-alive'];

describe('HEAD', () => {
  const name = crypto.randomUUID();
  let merchant: Client;
  let id: number;
  beforeAll(async () => {
    merchant = await newMerchant(0, { merchant: name });
    ({ mexcParamvaluesetsid: id } = await create(merchant, { name: 'Ek AB', notes: 'å' }));
    for (let more = 0; more < 2; more += 1) await create(merchant, { notes: 'x'.repeat(1_500) });
  });

  const urlOf = (path: string) =>
    path
      .replace('{mexcParamvaluesetsid}', String(id))
      .replace('{orgNum}', '5567037485')
      .replace('{exportId}', crypto.randomUUID())
      .replace('{importId}', crypto.randomUUID());
  const headersOf = (headers: Headers) =>
    Object.fromEntries([...headers].filter(([header]) => !OF_ONE_RESPONSE.includes(header)));

  async function expectHeadLikeGet(path: string, headers: Record<string, string> = {}) {
    const get = await merchant.call('GET', path, { headers });
    const head = await merchant.call('HEAD', path, { headers });
    expect(head).toMatchObject({ status: get.status, body: '' });
    expect(headersOf(head.headers)).toEqual(headersOf(get.headers));
    return head;
  }

  test.each(OTHERS)('of $path has the status and headers of GET, and no body', async ({ path }) => {
    // The look-up responds with 404, and so does the status of an export that does not exist.
    const { headers } = await expectHeadLikeGet(urlOf(path), { 'accept-encoding': 'identity' });
    expect(Number(headers.get('content-length'))).toBeGreaterThan(0);
  });

  test('of a customer has its ETag, and is 304 to a caller who has this version', async () => {
    const { status, headers } = await expectHeadLikeGet(`/customers/${id}`);
    expect(status).toBe(200);
    const etag = headers.get('etag') as string;
    expect(etag).toBe('"1"');
    const again = await expectHeadLikeGet(`/customers/${id}`, { 'if-none-match': etag });
    expect(again.status).toBe(304);
  });

  test('of a list has the link to the next page, and the length of the compressed body', async () => {
    const { headers } = await expectHeadLikeGet('/customers?limit=2', {
      'accept-encoding': 'identity',
    });
    expect(headers.get('link')).toMatch(/rel="next"$/);
    const packed = await expectHeadLikeGet('/customers', { 'accept-encoding': 'gzip' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
  });

  test.each([
    ['/customers?limit=0', 400],
    ['/customers/abc', 400],
    ['/customers/999999999', 404],
    ['/customers/nothing/here', 404],
  ])('of %s is %i without a body', async (path, status) => {
    expect(await expectHeadLikeGet(path)).toMatchObject({ status });
  });

  test('without a token is 401', async () => {
    const stranger = clientOf(merchant.url, '');
    for (const { path } of READS) {
      expect(await stranger.call('HEAD', urlOf(path))).toMatchObject({ status: 401, body: '' });
    }
  });

  test.each(EXPORTS)('of $path checks the request and creates no file', async ({ path }) => {
    const before = isLocal ? await keysInBucket(name) : [];
    const head = await merchant.call('HEAD', path);
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers.get('content-type')).toBe('application/json');
    // Only the file would tell.
    for (const header of ['content-length', 'location']) {
      expect([null, '0']).toContain(head.headers.get(header));
    }
    const accept = EXPORT_TYPES[path.split('/').at(-1) as string] as string;
    const file = await merchant.call('HEAD', path, { headers: { accept } });
    expect(file).toMatchObject({ status: 200, body: '' });
    expect(file.headers.get('content-type')).toBe(accept);
    expect((await merchant.call('HEAD', `${path}?limit=1`)).status).toBe(400);
    expect((await merchant.call('HEAD', path, { headers: { accept: 'image/png' } })).status).toBe(
      406,
    );
    if (isLocal) expect(await keysInBucket(name)).toEqual(before);
  });
});
