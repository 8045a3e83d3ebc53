import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, newMerchant, useApi } from '../support/api.ts';

useApi();

const shared = (file: string) => readFileSync(join(import.meta.dirname, '../../shared', file));
/** Lambda's maximum size of a response as JSON. */
const MAX_RESPONSE_BYTES = 6_291_556;
/** Headers that differ between any two responses. */
const OF_ONE_RESPONSE = ['apigw-requestid', 'date', 'connection', 'keep-alive'];

let merchant: Client;
let scriptPath: string;
beforeAll(async () => {
  merchant = await newMerchant();
  const page = await (await get('/docs')).text();
  scriptPath = /<script src="([^"]+)"><\/script>/.exec(page)?.[1] ?? '';
});

/** Sends a request without a token. `fetch` accepts gzip, and decompresses it. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return fetch(merchant.url + path, { method, headers, redirect: 'manual' });
}

test('The root path leads to the API reference, without a token', async () => {
  const { status, headers } = await get('/');
  expect(status).toBe(302);
  expect(headers.get('location')).toBe('/docs');
  const page = await get('/docs');
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<title>Merchant customers API</title>');
});

test('The OpenAPI document and the XML schema are served as they are checked in', async () => {
  const openApi = Buffer.from(await (await get('/openapi.json')).arrayBuffer());
  expect(openApi).toEqual(shared('openapi.json'));
  const xmlSchema = Buffer.from(await (await get('/customers.xsd')).arrayBuffer());
  expect(xmlSchema).toEqual(shared('customers.xsd'));
});

test('The page of the API reference loads no script but its own, and nothing of other origins', async () => {
  const page = await (await get('/docs')).text();
  expect(page.match(/<script\b[^>]*>[^<]*/g)).toEqual([`<script src="${scriptPath}">`]);
  const links = [...page.matchAll(/(?:href|src|content)="([^"]+)"/g)].map(([, link]) => link);
  expect(links.filter((link) => /^(?:https?:)?\/\//.test(String(link)))).toEqual([]);
});

describe.each([
  ['the page', () => '/docs', 'text/html; charset=utf-8'],
  ['the script', () => scriptPath, 'text/javascript; charset=utf-8'],
  ['the OpenAPI document', () => '/openapi.json', 'application/json'],
  ['the XML schema', () => '/customers.xsd', 'application/xml'],
  ['the icon', () => '/favicon.ico', 'image/svg+xml'],
])('For %s', (_, path, type) => {
  test('the response has its type, an entity tag, and headers against framing, embedding, sniffing and foreign scripts', async () => {
    const { status, headers } = await get(path());
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': type,
      etag: expect.stringMatching(/^"[\w-]+"$/),
      vary: 'accept-encoding',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  test('a request with the entity tag is 304 without a body, in each encoding', async () => {
    for (const encoding of ['gzip', 'identity']) {
      const { headers } = await get(path(), { 'accept-encoding': encoding });
      const etag = headers.get('etag') ?? '';
      const again = { 'accept-encoding': encoding, 'if-none-match': etag };
      const unchanged = await get(path(), again);
      expect(unchanged.status).toBe(304);
      expect(await unchanged.text()).toBe('');
      expect(unchanged.headers.get('etag')).toBe(etag);
      expect((await get(path(), { ...again, 'if-none-match': '"other"' })).status).toBe(200);
    }
  });

  test('the response is compressed for callers that accept gzip, with another entity tag', async () => {
    const compressed = await get(path(), { 'accept-encoding': 'gzip' });
    const plain = await get(path(), { 'accept-encoding': 'identity' });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(compressed.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect(await compressed.text()).toBe(await plain.text());
  });

  test('the response, as Lambda sends it, is smaller than its limit', async () => {
    const { headers } = await get(path(), { 'accept-encoding': 'gzip' });
    const plain = await (await get(path(), { 'accept-encoding': 'identity' })).text();
    expect(Buffer.byteLength(JSON.stringify({ body: plain })) + 2_000).toBeLessThan(
      MAX_RESPONSE_BYTES,
    );
    const base64 = (Number(headers.get('content-length')) * 4) / 3;
    expect(base64 + 2_000).toBeLessThan(MAX_RESPONSE_BYTES);
  });

  test('HEAD has the headers of GET', async () => {
    const headersOf = ({ headers }: Response) =>
      Object.fromEntries([...headers].filter(([name]) => !OF_ONE_RESPONSE.includes(name)));
    const head = await get(path(), {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    expect(headersOf(head)).toEqual(headersOf(await get(path())));
  });

  test('a token, valid or not, makes no difference', async () => {
    for (const token of [merchant.token, 'none']) {
      expect((await get(path(), { authorization: `Bearer ${token}` })).status).toBe(200);
    }
  });
});

test('Browsers keep the script, whose path changes with its content, and ask again for the rest', async () => {
  expect(scriptPath).toMatch(/^\/docs\/reference-[0-9a-f]{16}\.js$/);
  const { headers } = await get(scriptPath);
  expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  for (const path of ['/docs', '/openapi.json', '/customers.xsd', '/favicon.ico']) {
    expect((await get(path)).headers.get('cache-control')).toBe('public, no-cache');
  }
});

test.each(['/docs/reference-0000000000000000.js', '/docs/index.json', '/docs/__proto__'])(
  'There is no document at %s, which is 404',
  async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(((await response.json()) as { detail: string }).detail).toContain('/docs');
  },
);

test('Other methods of a document are 405, for a caller with a token', async () => {
  expect((await get('/docs', {}, 'POST')).status).toBe(401);
  const { status, headers } = await merchant.call('POST', '/docs', { body: {} });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
