import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, isLocal, localStack, newMerchant, useApi } from '../support/api.ts';
import { exchange } from '../support/raw-http.ts';

useApi();

/** Maximum bytes of all that a browser loads before the page is shown, gzipped. */
const MAX_BYTES = 25_000;

// A deployment has the page if its settings say so.
describe.runIf(isLocal)('the page for persons', () => {
  let merchant: Client;
  let html: string;
  let script: string;
  let style: string;

  beforeAll(async () => {
    merchant = await newMerchant();
    html = await (await get('/app')).text();
    script = /<script type="module" src="([^"]+)"><\/script>/.exec(html)?.[1] ?? '';
    style = /<link rel="stylesheet" href="([^"]+)">/.exec(html)?.[1] ?? '';
  });

  function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
    return fetch(merchant.url + path, { method, headers });
  }
  const files = () => [
    ['/app', 'text/html; charset=utf-8'] as const,
    [script, 'text/javascript; charset=utf-8'] as const,
    [style, 'text/css; charset=utf-8'] as const,
  ];

  test('is served without a token in three files, each by GET and HEAD', async () => {
    for (const [path, type] of files()) {
      const { status, headers } = await get(path);
      expect([path, status, headers.get('content-type')]).toEqual([path, 200, type]);
      const head = await get(path, {}, 'HEAD');
      expect([head.status, head.headers.get('content-type')]).toEqual([200, type]);
    }
  });

  test('may run its own script alone, and call its own origin and the file store', async () => {
    for (const [path] of files()) {
      const { headers } = await get(path);
      expect(headers.get('content-security-policy')?.split('; ')).toEqual([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ${localStack().s3Endpoint}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ]);
      expect(Object.fromEntries(headers)).toMatchObject({
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  test('has no inline script or style, and loads nothing of other origins', () => {
    expect(html.match(/<script\b[^>]*>[^<]*/g)).toEqual([`<script type="module" src="${script}">`]);
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
    const links = [...html.matchAll(/(?:href|src|content)="([^"]*)"/g)].map(([, link]) => link);
    expect(links.filter((link) => /^(?:https?:)?\/\//.test(String(link)))).toEqual([]);
  });

  test('has no token where there is no sample merchant, and names no path for one', () => {
    expect(html).toContain('<meta name="token-path" content="">');
  });

  test('is kept by browsers but for its first file, which names the others by their content', async () => {
    const cache = async (path: string) => (await get(path)).headers.get('cache-control');
    expect(await cache('/app')).toBe('public, no-cache');
    for (const path of [script, style]) {
      expect(path).toMatch(/^\/app\/page-[0-9a-f]{16}\.(?:js|css)$/);
      expect(await cache(path)).toBe('public, max-age=31536000, immutable');
    }
  });

  test('is small, as it has no framework', async () => {
    const contents = await Promise.all(
      files().map(async ([path]) => Buffer.from(await (await get(path)).arrayBuffer())),
    );
    const bytes = contents.reduce((sum, content) => sum + gzipSync(content).length, 0);
    expect(bytes).toBeLessThan(MAX_BYTES);
  });

  test('is the one page of which the local file store takes files', async () => {
    const { s3Endpoint } = localStack();
    const preflight = (origin: string) =>
      exchange(s3Endpoint, {
        method: 'OPTIONS',
        target: '/customer-exports/imports/upload/file',
        headers: [
          ['Host', new URL(s3Endpoint).host],
          ['Origin', origin],
          ['Access-Control-Request-Method', 'PUT'],
          ['Access-Control-Request-Headers', 'x-amz-checksum-sha256'],
        ],
      });
    for (const origin of [merchant.url, merchant.url.replace('127.0.0.1', 'localhost')]) {
      const { status, headers } = await preflight(origin);
      expect(status).toBe(200);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-allow-methods')).toContain('PUT');
    }
    for (const origin of ['https://page.example', 'http://localhost:5173', s3Endpoint]) {
      expect((await preflight(origin)).status).toBe(403);
    }
  });

  test('has no other files, and other methods are 405', async () => {
    expect((await get('/app/page-0000000000000000.js')).status).toBe(404);
    const { status, headers } = await merchant.call('POST', '/app', { body: {} });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
