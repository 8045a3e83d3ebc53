import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ENDPOINTS } from '../../infra/endpoints.ts';
import { FIELDS } from '../../shared/domain/fields.ts';
import { MAX_DIGEST_PART } from '../../shared/domain/limits.ts';
import {
  type Client,
  create,
  eventually,
  isLocal,
  merchantsAvailable,
  newMerchant,
  useApi,
} from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

type Json = Readonly<Record<string, string | number>>;

/** Returns the hash of customers as the API guide describes it, in the plainest way. */
function hashOf(customers: readonly Json[]): string {
  const hash = createHash('sha256');
  for (const customer of customers) {
    for (const { name } of FIELDS) {
      if (customer[name]) hash.update(`${name}\u001f${customer[name]}\u001e`);
    }
    hash.update('\u001d');
  }
  return hash.digest('hex');
}

const HASH_OF_NONE = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

async function digestOf(client: Client, query = '') {
  const { status, body } = await client.call('GET', `/customers/digest${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

test('A digest hashes every field that is set, of any text, by ascending id', async () => {
  const merchant = await newMerchant();
  const texts = [
    'Björk AB',
    '"quoted" \\ 😀',
    'line\nfeed\r\n\tand tab',
    '0',
    ' ',
    '\u2028',
    '=1+1',
  ];
  const customers: Json[] = [];
  for (const notes of texts)
    customers.push(await create(merchant, { name: notes, notes, email: 'a@b' }));
  customers.push(await create(merchant, {}));
  await eventually(async () => {
    const { from, to, count, parts, next, changesFrom } = await digestOf(merchant, '?parts=1');
    expect([from, to, count, next]).toEqual([1, customers.at(-1)?.mexcParamvaluesetsid, 8, null]);
    expect(parts).toEqual([{ from, to, count, hash: hashOf(customers) }]);
    expect(changesFrom).toMatch(/^[\w-]+$/);
  });
});

test('A digest of a merchant without customers has no parts', async () => {
  const merchant = await newMerchant();
  expect(await digestOf(merchant, '?from=1')).toMatchObject({ count: 0, parts: [], next: null });
});

test('A change of one field changes the hash of its part alone, and changing it back restores it', async () => {
  const merchant = await newMerchant();
  const [first] = [await create(merchant, { name: 'A' }), await create(merchant, { name: 'B' })];
  const hashes = async () => {
    const { parts } = await digestOf(merchant, '?parts=2');
    return parts.map(({ hash }: { hash: string }) => hash);
  };
  let before: string[] = [];
  await eventually(async () => {
    before = await hashes();
    expect(before).not.toContain(HASH_OF_NONE);
  });
  const path = `/customers/${first.mexcParamvaluesetsid}`;
  await merchant.call('PATCH', path, { body: { fax: '1' } });
  await eventually(async () => {
    const [one, two] = await hashes();
    expect(one).not.toBe(before[0]);
    expect(two).toBe(before[1]);
  });
  await merchant.call('PATCH', path, { body: { fax: '' } });
  await eventually(async () => expect(await hashes()).toEqual(before));
});

test('The changes since a digest follow from its changesFrom', async () => {
  const merchant = await newMerchant();
  const { changesFrom } = await digestOf(merchant);
  const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Since' });
  await eventually(async () => {
    const { body } = await merchant.call('GET', `/customers/changes?after=${changesFrom}`);
    expect(body.changes.at(-1)).toMatchObject({ mexcParamvaluesetsid: id });
  });
});

test.runIf(merchantsAvailable > 1)('A digest has no customers of other merchants', async () => {
  const [merchant, other] = [await newMerchant(0), await newMerchant(1)];
  await create(other, { name: 'Theirs' });
  const own = await create(merchant, { name: 'Ours' });
  await eventually(async () => {
    const { parts } = await digestOf(merchant, '?from=1&to=1000&parts=1');
    expect(parts).toMatchObject([{ count: 1, hash: hashOf([own]) }]);
  });
});

test.runIf(isLocal)('A module or service of 0 in the token is none, as in responses', async () => {
  const merchant = await newMerchant(0, { mm3servicesid: 0, mexcModulesid: '7' });
  const customer = await create(merchant, { name: 'A' });
  expect(customer).toMatchObject({ mm3servicesid: 0, mexcModulesid: 7 });
  await eventually(async () => {
    expect((await digestOf(merchant)).parts[0].hash).toBe(hashOf([customer]));
  });
});

describe.runIf(isLocal)('Parts of a digest', () => {
  const COUNT = 50;
  let name: string;
  let merchant: Client;
  let customers: readonly Json[];

  beforeAll(async () => {
    const fieldsOf = (index: number) => ({ name: `Nr ${index}`, notes: 'ö'.repeat(index * 10) });
    ({ name, merchant, customers } = await newMerchantWith(COUNT, fieldsOf));
  });

  const partOf = (from: number, to: number) => {
    const of = customers.filter(
      ({ mexcParamvaluesetsid: id }) => Number(id) >= from && Number(id) <= to,
    );
    return { from, to, count: of.length, hash: hashOf(of) };
  };

  test.each([1, 2, 3, 7, 16, 50, 256])(
    '%d parts are equal ranges that cover all ids',
    async (parts) => {
      const digest = await digestOf(merchant, `?parts=${parts}`);
      const length = Math.ceil(COUNT / parts);
      const expected = Array.from({ length: Math.ceil(COUNT / length) }, (_, index) =>
        partOf(index * length + 1, Math.min(COUNT, (index + 1) * length)),
      );
      expect(digest).toMatchObject({ from: 1, to: COUNT, count: COUNT, next: null });
      expect(digest.parts).toEqual(expected);
    },
  );

  test('A range can begin and end anywhere, also where no customers are', async () => {
    const { parts } = await digestOf(merchant, `?from=41&to=80&parts=4`);
    expect(parts).toEqual([
      partOf(41, 50),
      ...[51, 61, 71].map((from) => ({ from, to: from + 9, count: 0, hash: HASH_OF_NONE })),
    ]);
    expect(await digestOf(merchant, '?from=51')).toMatchObject({ count: 0, parts: [], next: null });
  });

  test('By default a digest has 16 parts, or as many as a large range needs', async () => {
    expect((await digestOf(merchant, '?to=1600')).parts).toHaveLength(16);
    const { parts } = await digestOf(merchant, `?to=${20 * MAX_DIGEST_PART}`);
    expect(parts).toHaveLength(20);
  });

  test('A call ends with the part that reaches the limit of customers, and the next goes on', async () => {
    const { digestCustomers } = await import('../../shared/storage/digest-customers.ts');
    const options = {
      partLength: 8,
      newestId: async () => COUNT,
      deadline: new AbortController().signal,
      maxCustomers: 20,
    };
    const first = await digestCustomers(name, { ...options, range: { from: 1, to: COUNT } });
    expect(first).toEqual({
      parts: [partOf(1, 8), partOf(9, 16), partOf(17, 24)],
      count: 24,
      next: 25,
    });
    const rest = await digestCustomers(name, { ...options, range: { from: 25, to: COUNT } });
    expect(rest.parts).toEqual([partOf(25, 32), partOf(33, 40), partOf(41, 48)]);
  });

  test('A call whose time is up ends within a part, and the next goes on', async () => {
    const large = await newMerchantWith(120, () => ({ notes: 'x'.repeat(10_000) }));
    const { digestCustomers } = await import('../../shared/storage/digest-customers.ts');
    const options = {
      partLength: 1_000,
      newestId: async () => 120,
      deadline: new AbortController().signal,
      timeLimitMs: 0,
    };
    let next: number | undefined = 1;
    const parts: Awaited<ReturnType<typeof digestCustomers>>['parts'][number][] = [];
    while (next !== undefined) {
      const range: { from: number; to: number } = { from: next, to: 120 };
      const digest: Awaited<ReturnType<typeof digestCustomers>> = await digestCustomers(
        large.name,
        { ...options, range },
      );
      parts.push(...digest.parts);
      next = digest.next;
    }
    expect(parts.length).toBeGreaterThan(1);
    let from = 1;
    for (const part of parts) {
      expect(part.from).toBe(from);
      expect(part.hash).toBe(hashOf(large.customers.slice(part.from - 1, part.to)));
      from = part.to + 1;
    }
    expect(from).toBe(121);
  });
});

describe('A wrong range of a digest is refused with 400, which says what would be right', () => {
  test.each([
    ['from=0', { from: 'must be an integer from 1 to 9007199254740991; got `0`' }],
    ['from=5&to=4', { from: 'must not be above to, which is 4' }],
    [
      'parts=0&from=x&filter=isCompany',
      {
        filter: 'is not a parameter of this call; known are from, to, parts',
        from: 'must be an integer from 1 to 9007199254740991; got `x`',
        parts: 'must be an integer from 1 to 256; got `0`',
      },
    ],
    ['parts=257', { parts: 'must be an integer from 1 to 256; got `257`' }],
    [
      `to=${2 * MAX_DIGEST_PART + 1}&parts=2`,
      { parts: 'must be at least 3, as a part has at most 200000 ids' },
    ],
    [
      'to=9007199254740991',
      { to: 'must be within 51200000 ids of from, which is 1; got `9007199254740991`' },
    ],
  ])('%s', async (query, faults) => {
    const merchant = await newMerchant();
    const answer = await merchant.call('GET', `/customers/digest?${query}`);
    const expected = Object.entries(faults).map(([parameter, detail]) => ({ parameter, detail }));
    expectProblem(
      answer,
      400,
      expected.map(({ parameter }) => ({ parameter })),
    );
    expect(answer.body.errors).toEqual(expected);
  });
});

describe('The separators of the canonical form are refused in texts', () => {
  const WRITERS = ENDPOINTS.filter(
    ({ method, path, scope, request }) =>
      scope === 'customers:write' &&
      request.body &&
      ['POST', 'PUT', 'PATCH'].includes(method) &&
      // Imports take customers in files.
      !path.startsWith('/customers/imports'),
  );

  test.each(WRITERS.map(({ method, path }) => [method, path] as const))(
    'by %s %s',
    async (method, path) => {
      const merchant = await newMerchant();
      const { mexcParamvaluesetsid: id } = await create(merchant, { customerid: 'K1' });
      const to = path.replace('{mexcParamvaluesetsid}', String(id)).replace('{customerid}', 'K1');
      const types = [
        'application/json',
        ...(method === 'PATCH' ? ['application/merge-patch+json'] : []),
      ];
      for (const type of types) {
        for (const separator of ['\u001d', '\u001e', '\u001f']) {
          const body = { name: `a${separator}b`, notes: separator };
          const answer = await merchant.call(method, to, {
            body,
            headers: { 'content-type': type },
          });
          expectProblem(answer, 400, [{ pointer: '/name' }, { pointer: '/notes' }]);
        }
      }
    },
  );
});

interface Copy {
  readonly customers: Map<number, Json>;
  load(): Promise<void>;
  follow(): Promise<void>;
  prove(): Promise<number[]>;
  repair(ids: readonly number[]): Promise<void>;
}

describe.runIf(isLocal)('The reference client of the API guide', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-client-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let copyOf: (client: Client) => Copy;
  let source: string;

  beforeAll(async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../functions/README.md'), 'utf8');
    [, source = ''] = /^```ts\n([\s\S]*?export class CustomerCopy[\s\S]*?)^```$/m.exec(guide) ?? [];
    const file = join(folder, 'client.mjs');
    const stdin = { contents: source, loader: 'ts', resolveDir: import.meta.dirname } as const;
    await build({ stdin, outfile: file, bundle: true, platform: 'node', format: 'esm' });
    const { CustomerCopy } = await import(/* @vite-ignore */ file);
    copyOf = ({ url, token }) => new CustomerCopy(url, token);
  });

  function followUntil(copy: Copy, isThere: () => boolean) {
    const follow = async () => {
      await copy.follow();
      expect(isThere()).toBe(true);
    };
    return vi.waitFor(follow, { timeout: 50_000, interval: 100 });
  }

  /** A merchant with customers, and a copy of them. */
  async function loaded(count: number) {
    const texts = ['Björk AB', '"a", b', '\r\n', '0', "'=1"];
    const { merchant, ids } = await newMerchantWith(count, (index) => ({
      customerid: `K${index}`,
      name: texts[index % texts.length] as string,
      rebate: '0',
    }));
    const copy = copyOf(merchant);
    await copy.load();
    expect([...copy.customers.keys()]).toEqual(ids);
    // The changes of the last minutes come once more; the last of all is this one.
    const { mexcParamvaluesetsid: last } = await create(merchant, { name: 'Last' });
    await followUntil(copy, () => copy.customers.has(last));
    return { merchant, copy, ids: [...ids, last] };
  }

  test('It has fewer than 60 lines of code', () => {
    const lines = source.split('\n').filter((line) => line.trim());
    expect(lines.length).toBeLessThan(60);
    expect(lines.length).toBeGreaterThan(20);
  });

  test('Its copy of all customers is proved right, and stays so while customers change', async () => {
    const { merchant, copy, ids } = await loaded(40);
    expect(await copy.prove()).toEqual([]);
    await merchant.call('PATCH', `/customers/${ids[3]}`, { body: { name: 'Ny', email: 'a@b' } });
    await merchant.call('DELETE', `/customers/${ids[4]}`);
    const { mexcParamvaluesetsid: id } = await create(merchant, { name: 'Sist' });
    await followUntil(copy, () => copy.customers.get(id)?.name === 'Sist');
    expect(copy.customers.get(ids[3] as number)).toMatchObject({ name: 'Ny', email: 'a@b' });
    expect(copy.customers.has(ids[4] as number)).toBe(false);
    expect(await copy.prove()).toEqual([]);
  });

  test('It finds and repairs one wrong customer of 1,000 in two digests and a GET', async () => {
    const { copy, ids } = await loaded(1_000);
    const id = ids[617] as number;
    const right = copy.customers.get(id) as Json;
    copy.customers.set(id, { ...right, name: 'Wrong' });
    const paths: string[] = [];
    const plainFetch = globalThis.fetch;
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      paths.push(new URL(url).pathname);
      return plainFetch(url, init);
    });
    try {
      expect(await copy.prove()).toEqual([id]);
      await copy.repair([id]);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(copy.customers.get(id)).toMatchObject({ name: right.name });
    expect(paths.filter((path) => path === '/customers/digest')).toHaveLength(2);
    expect(paths.filter((path) => path === `/customers/${id}`)).toHaveLength(1);
    expect(await copy.prove()).toEqual([]);
  });

  test('It finds and repairs one wrong customer of 1,000,000 in seven digests and a GET', async () => {
    // A register with the rules of the API, as a million customers take long to write.
    const count = 1_000_000;
    const customerOf = (id: number) => ({ mexcParamvaluesetsid: id });
    /** As {@link hashOf} of these customers, at a tenth of its CPU time. */
    const hashOfRange = (from: number, to: number) => {
      let text = '';
      for (let id = from; id <= to; id += 1) text += `mexcParamvaluesetsid\u001f${id}\u001e\u001d`;
      return createHash('sha256').update(text).digest('hex');
    };
    expect(hashOfRange(9, 11)).toBe(hashOf([9, 10, 11].map(customerOf)));
    const paths: string[] = [];
    const respond = (url: string) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/customers/changes') return { changes: [], next: 'end', more: false };
      paths.push(pathname);
      if (pathname !== '/customers/digest') return customerOf(Number(pathname.split('/')[2]));
      const from = Number(searchParams.get('from'));
      const to = Number(searchParams.get('to') ?? count);
      const length = Math.ceil((to - from + 1) / Number(searchParams.get('parts')));
      const parts: (Json & { to: number })[] = [];
      for (let next = from; next <= to && next - from < MAX_DIGEST_PART; next += length) {
        const last = Math.min(to, next + length - 1);
        const hash = hashOfRange(next, last);
        parts.push({ from: next, to: last, count: last - next + 1, hash });
      }
      const last = parts.at(-1)?.to ?? to;
      return { from, to, parts, next: last < to ? last + 1 : null };
    };
    vi.stubGlobal('fetch', async (url: string) => Response.json(respond(url)));
    try {
      const copy = copyOf({ url: 'http://register', token: '' } as Client);
      for (let id = 1; id <= count; id += 1) copy.customers.set(id, customerOf(id));
      copy.customers.set(617_283, { mexcParamvaluesetsid: 617_283, name: 'Wrong' });
      const found = await copy.prove();
      expect(found).toEqual([617_283]);
      await copy.repair(found);
      expect(copy.customers.get(617_283)).toEqual(customerOf(617_283));
    } finally {
      vi.unstubAllGlobals();
    }
    expect(paths).toEqual([...Array(7).fill('/customers/digest'), '/customers/617283']);
  });

  test('It repairs customers that are missing, that should not be there, and that differ', async () => {
    const { copy, ids } = await loaded(30);
    const [missing, changed] = [ids[2] as number, ids[20] as number];
    const some = copy.customers.get(changed) as Json;
    copy.customers.delete(missing);
    copy.customers.set(changed, { ...some, notes: 'extra' });
    copy.customers.set(999, { ...some, mexcParamvaluesetsid: 999 });
    const found = await copy.prove();
    expect(found).toEqual([missing, changed, 999]);
    await copy.repair(found);
    expect(await copy.prove()).toEqual([]);
    expect([...copy.customers.keys()].toSorted((a, b) => a - b)).toEqual(ids);
  });
});
