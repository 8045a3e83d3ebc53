import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  create,
  eventually,
  isLocal,
  merchantsAvailable,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { customerIdsOf, newSampleMerchant } from '../support/sample-merchant.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

afterEach(() => {
  vi.unstubAllEnvs();
});

test.runIf(isLocal)('The link to the next page has the host that callers use', async () => {
  const merchant = await newSampleMerchant();
  const linkOf = async () => (await merchant.call('GET', '/customers?limit=2')).headers.get('link');
  expect(await linkOf()).toContain(`<${merchant.url}/customers?`);
  // CloudFront reaches the API by another name than its callers.
  vi.stubEnv('PUBLIC_HOST', 'api.example.com');
  expect(await linkOf()).toContain('//api.example.com/customers?');
});

describe('Pages', () => {
  test('Each page links to the next, and each customer is on one page', async () => {
    const merchant = await newSampleMerchant();
    for (const filter of ['', '&filter=!search&search=nothing']) {
      await eventually(async () => {
        let path: string | undefined = `/customers?limit=2${filter}`;
        const pages: string[] = [];
        while (path) {
          const { body, headers } = await merchant.call('GET', path);
          pages.push(customerIdsOf(body));
          const link: string | undefined = headers
            .get('link')
            ?.match(/^<([^>]+)>; rel="next"$/)?.[1];
          expect(headers.has('link')).toBe(link !== undefined);
          path = link && new URL(link).pathname + new URL(link).search;
          if (link) expect(link.startsWith(`${merchant.url}/`)).toBe(true);
        }
        expect(pages).toEqual(['K1 K2', 'K3 K4', 'K5']);
      });
    }
  });

  test('A list begins at the offset start, with and without a filter', async () => {
    const merchant = await newSampleMerchant();
    const at = async (query: string) =>
      customerIdsOf((await merchant.call('GET', `/customers?${query}`)).body);
    await eventually(async () => {
      expect(await at('start=3')).toBe('K4 K5');
      expect(await at('start=1&limit=2')).toBe('K2 K3');
      expect(await at('start=5')).toBe('');
      expect(await at('filter=search&search=nisse&start=1')).toBe('K4');
      expect(await at('start=0')).toBe('K1 K2 K3 K4 K5');
    });
  });

  test('Pages repeat and skip no customer if another is deleted meanwhile', async () => {
    const merchant = await newSampleMerchant();
    const first = await merchant.call('GET', '/customers?limit=2');
    const last = first.body[1].mexcParamvaluesetsid;
    await merchant.call('DELETE', `/customers/${last}`);
    const link = first.headers.get('link')?.match(/<(.+)>/)?.[1] as string;
    const { body } = await merchant.call('GET', new URL(link).pathname + new URL(link).search);
    expect(customerIdsOf(body)).toBe('K3 K4');
  });

  test('A list is compressed with gzip if Accept-Encoding allows it', async () => {
    const merchant = await newSampleMerchant();
    const compressed = await merchant.call('GET', '/customers', {
      headers: { 'accept-encoding': 'gzip' },
    });
    const plain = await merchant.call('GET', '/customers', {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(compressed.body).toEqual(plain.body);
  });

  test('A list contains a customer immediately after its creation', async () => {
    const merchant = await newMerchant();
    for (let count = 1; count <= 5; count += 1) {
      await create(merchant, { name: `${count}` });
      expect((await merchant.call('GET', '/customers')).body).toHaveLength(count);
    }
  });
});

describe('Wrong queries', () => {
  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=abc', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['start=-1', 'start'],
    ['start=x', 'start'],
    ['cursor=', 'cursor'],
    ['cursor=abc', 'cursor'],
    ['cursor=../../../../etc', 'cursor'],
    ['limt=5', 'limt'],
  ])('GET /customers?%s returns 400 and names the parameter', async (query, parameter) => {
    const merchant = await newMerchant();
    const answer = await merchant.call('GET', `/customers?${query}`);
    expectProblem(answer, 400, [{ parameter }]);
    expect(answer.body.detail).toContain(parameter);
  });

  test('A cursor that was changed, or is used with other filters, is refused with 400', async () => {
    const merchant = await newSampleMerchant();
    const { headers } = await merchant.call('GET', '/customers?limit=2');
    const cursor = headers.get('link')?.match(/cursor=([^>&]+)/)?.[1] as string;
    const at = (query: string) => merchant.call('GET', `/customers?${query}`);
    expect(await at(`cursor=${cursor}`)).toMatchObject({ status: 200 });
    const changed = (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1);
    for (const query of [`cursor=${changed}`, `cursor=${cursor}&filter=isPrivate`]) {
      expectProblem(await at(query), 400, [{ parameter: 'cursor' }], '/problems/invalid-cursor');
    }
    expect(await at(`cursor=${cursor}&start=1`)).toMatchObject({ status: 400 });
    // Generated clients send defaults.
    expect(await at(`cursor=${cursor}&start=0`)).toMatchObject({ status: 200 });
  });

  test.runIf(merchantsAvailable > 1)(
    'A cursor of another merchant is refused with 400',
    async () => {
      const merchant = await newSampleMerchant();
      const other = await newMerchant(1);
      const { headers } = await merchant.call('GET', '/customers?limit=2');
      const cursor = headers.get('link')?.match(/cursor=([^>&]+)/)?.[1] as string;
      expect(await other.call('GET', `/customers?cursor=${cursor}`)).toMatchObject({ status: 400 });
    },
  );
});

test.runIf(isLocal)(
  'A page ends before the response would pass 6 MB, and its Link leads on',
  async () => {
    // Quotes are escaped twice on their way through Lambda.
    const notes = `${'å'.repeat(2_000)}${'"'.repeat(8_000)}`;
    const { merchant, ids: all } = await newMerchantWith(92, () => ({
      notes,
      statuslog: notes,
      name: 'Ek',
    }));
    for (const query of ['limit=1000', 'limit=1000&filter=search&search=ek', 'limit=88']) {
      for (const encoding of ['identity', 'gzip']) {
        const ids: number[] = [];
        let pages = 0;
        let path: string | undefined = `/customers?${query}`;
        while (path) {
          const { status, headers, body } = await merchant.call('GET', path, {
            headers: { 'accept-encoding': encoding },
          });
          expect(status).toBe(200);
          expect(Buffer.byteLength(JSON.stringify(JSON.stringify(body)))).toBeLessThan(
            6 * 1024 ** 2,
          );
          for (const customer of body) ids.push(customer.mexcParamvaluesetsid);
          const link = headers.get('link')?.match(/<(.+)>/)?.[1];
          path = link && new URL(link).pathname + new URL(link).search;
          pages += 1;
        }
        expect(ids).toEqual(all);
        expect(pages).toBeGreaterThan(1);
      }
    }
  },
);
