import { beforeAll, describe, expect, test } from 'vitest';
import { type Client, create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

type Json = Readonly<Record<string, string | number>>;

const linkOf = (headers: Headers) => {
  const link = /<(.+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  return link && new URL(link).pathname + new URL(link).search;
};

/** Returns the customers of all pages of a list. */
async function walk(client: Client, query: string): Promise<Json[]> {
  const customers: Json[] = [];
  let path: string | undefined = `/customers?${query}`;
  while (path) {
    const { status, headers, body } = await client.call('GET', path);
    expect(status, JSON.stringify(body)).toBe(200);
    customers.push(...body);
    path = linkOf(headers);
  }
  return customers;
}

/** In the order of their creation; by name they are in Swedish order. */
const CUSTOMERS = [
  { customerid: 'K10', name: 'Öberg' },
  { customerid: 'k9', name: 'Åberg' },
  { customerid: '', name: 'Kund 10' },
  { customerid: 'K2', name: '' },
  { customerid: '10', name: 'Ängvall' },
  { customerid: '9', name: 'Zorn' },
  { customerid: 'Ö1', name: 'kund 9' },
  { customerid: 'A1', name: 'Lindén' },
  { customerid: 'Å1', name: 'Linden' },
  { customerid: 'K1', name: '' },
  { customerid: '', name: 'alm' },
];
const BY_NAME = [
  'alm',
  'kund 9',
  'Kund 10',
  'Lindén',
  'Linden',
  'Zorn',
  'Åberg',
  'Ängvall',
  'Öberg',
];
const BY_CUSTOMERID = ['9', '10', 'A1', 'K1', 'K2', 'k9', 'K10', 'Å1', 'Ö1'];

describe('A sorted list', () => {
  let merchant: Client;

  beforeAll(async () => {
    merchant = await newMerchant();
    for (const customer of CUSTOMERS) await create(merchant, customer);
    await eventually(async () => {
      const { body } = await merchant.call('GET', '/customers/count');
      expect(body.count).toBe(CUSTOMERS.length);
    });
  });

  const sorted = async (query: string, member: string) =>
    (await walk(merchant, query)).map((customer) => customer[member]);

  test.each([1, 2, 5, 1_000])(
    'has names in Swedish order, without one last, in both directions, on pages of %d',
    async (limit) => {
      const up = await sorted(`sort=name&limit=${limit}`, 'name');
      expect(up).toEqual([...BY_NAME, '', '']);
      const down = await sorted(`sort=-name&limit=${limit}`, 'name');
      expect(down).toEqual([...BY_NAME.toReversed(), '', '']);
    },
  );

  test('has customer ids with numbers by their value, without one last, in both directions', async () => {
    expect(await sorted('sort=customerid&limit=3', 'customerid')).toEqual([
      ...BY_CUSTOMERID,
      '',
      '',
    ]);
    expect(await sorted('sort=-customerid&limit=3', 'customerid')).toEqual([
      ...BY_CUSTOMERID.toReversed(),
      '',
      '',
    ]);
  });

  test.each(['date', 'mexcParamvaluesetsid'])(
    'is ordered by %s in both directions',
    async (name) => {
      const ids = (await walk(merchant, 'limit=1000')).map((each) => each.mexcParamvaluesetsid);
      for (const filter of ['', '&filter=isUnknown', '&filter=!search&search=nothing']) {
        for (const limit of [1, 4, 11, 12]) {
          const query = `limit=${limit}${filter}`;
          expect(await sorted(`sort=${name}&${query}`, 'mexcParamvaluesetsid')).toEqual(ids);
          expect(await sorted(`sort=-${name}&${query}`, 'mexcParamvaluesetsid')).toEqual(
            ids.toReversed(),
          );
        }
      }
    },
  );

  test('begins at the offset start in each order', async () => {
    const all = await walk(merchant, 'limit=1000');
    const first = async (query: string) =>
      (await merchant.call('GET', `/customers?${query}`)).body[0];
    expect(await first('sort=-date&start=3')).toEqual(all.at(-4));
    expect((await first('sort=name&start=5')).name).toBe('Zorn');
    expect((await first('sort=-name&start=1')).name).toBe('Ängvall');
  });

  test('can be of customers that are looked up by values', async () => {
    const own = await newMerchant();
    for (const customer of CUSTOMERS) await create(own, { ...customer, email: 'a@b' });
    await create(own, { name: 'Other', email: 'c@d' });
    const names = async (sort: string) =>
      (await walk(own, `email=a@b&limit=4&sort=${sort}`)).map(({ name }) => name);
    const created = CUSTOMERS.map(({ name }) => name);
    await eventually(async () => {
      expect(await names('date')).toEqual(created);
      expect(await names('-date')).toEqual(created.toReversed());
      expect(await names('name')).toEqual([...BY_NAME, '', '']);
      expect(await names('-name')).toEqual([...BY_NAME.toReversed(), '', '']);
      expect(await names('updated')).toEqual(created);
      expect((await names('customerid')).slice(0, 2)).toEqual(['Zorn', 'Ängvall']);
    });
  });

  test('can be filtered', async () => {
    const names = await sorted('sort=-name&filter=search&search=kund', 'name');
    expect(names).toEqual(['Kund 10', 'kund 9']);
  });

  test('has the customer that changed last at the end of the order by updated', async () => {
    const [first] = await walk(merchant, 'limit=1');
    const id = first?.mexcParamvaluesetsid;
    await merchant.call('PATCH', `/customers/${id}`, { body: { fax: String(Date.now()) } });
    await eventually(async () => {
      const up = await walk(merchant, 'sort=updated&fields=updated&limit=3');
      expect(up.at(-1)?.mexcParamvaluesetsid).toBe(id);
      const times = up.map(({ updated }) => String(updated));
      expect(times).toEqual(times.toSorted());
      const down = await walk(merchant, 'sort=-updated&fields=updated&limit=4');
      expect(down).toEqual(up.toReversed());
    });
  });

  test('has a Link that keeps sort, fields, limit and filters', async () => {
    const path = '/customers?sort=-name&fields=name,version&limit=2&filter=isUnknown';
    const { headers } = await merchant.call('GET', path);
    const next = new URL(linkOf(headers) ?? '', 'http://localhost').searchParams;
    expect(Object.fromEntries(next)).toEqual({
      sort: '-name',
      fields: 'name,version',
      limit: '2',
      filter: 'isUnknown',
      cursor: expect.any(String),
    });
  });

  test('has cursors without the names that it is sorted by', async () => {
    const { body, headers } = await merchant.call('GET', '/customers?sort=name&limit=2');
    const cursor = /cursor=([\w-]+)/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const bytes = Buffer.from(cursor, 'base64url').toString('latin1').toUpperCase();
    expect(bytes.length).toBeGreaterThan(30);
    expect(bytes).not.toContain(body[1].name.toUpperCase().slice(0, 4));
  });

  test('refuses a cursor of another order or filter, a changed one, and one of another list', async () => {
    const cursorOf = async (query: string) => {
      const { headers } = await merchant.call('GET', `/customers?limit=1&${query}`);
      return /cursor=([\w-]+)/.exec(headers.get('link') ?? '')?.[1] ?? '';
    };
    const byName = await cursorOf('sort=name');
    const byDate = await cursorOf('sort=-date');
    const plain = await cursorOf('');
    const changed = byName.slice(0, -6) + (byName.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA');
    for (const query of [
      `sort=-name&cursor=${byName}`,
      `sort=customerid&cursor=${byName}`,
      `sort=name&filter=isUnknown&cursor=${byName}`,
      `sort=name&cursor=${changed}`,
      `sort=name&cursor=${byName.slice(0, 20)}`,
      `sort=name&cursor=${plain}`,
      `sort=name&cursor=`,
      `cursor=${byName}`,
      `cursor=${byDate}`,
      `sort=-date&cursor=${plain}`,
    ]) {
      const answer = await merchant.call('GET', `/customers?${query}`);
      expectProblem(answer, 400, [{ parameter: 'cursor' }], '/problems/invalid-cursor');
    }
    for (const query of [`sort=name&cursor=${byName}`, `sort=-date&cursor=${byDate}`]) {
      expect((await merchant.call('GET', `/customers?${query}`)).status).toBe(200);
    }
  });
});

test('A page of a sorted list follows the one before, also if its last customer was deleted or renamed', async () => {
  const merchant = await newMerchant();
  const ids: number[] = [];
  for (const name of ['A', 'B', 'C', 'D', 'E', 'F']) {
    ids.push((await create(merchant, { name })).mexcParamvaluesetsid);
  }
  const namesAt = async (path: string) => {
    const { body, headers } = await merchant.call('GET', path);
    return { names: body.map(({ name }: Json) => name).join(''), next: linkOf(headers) as string };
  };
  let first = { names: '', next: '' };
  await eventually(async () => {
    first = await namesAt('/customers?sort=name&limit=2');
    expect(first.names).toBe('AB');
    expect((await walk(merchant, 'sort=name')).length).toBe(6);
  });
  await merchant.call('DELETE', `/customers/${ids[1]}`);
  let second = { names: '', next: '' };
  await eventually(async () => {
    second = await namesAt(first.next);
    expect(second.names).toBe('CD');
    expect((await walk(merchant, 'sort=name')).length).toBe(5);
  });
  await merchant.call('PATCH', `/customers/${ids[3]}`, { body: { name: 'Z' } });
  await eventually(async () => {
    const third = await namesAt(second.next);
    expect(third.names).toBe('EF');
    // The renamed one is listed again, where its name is by now.
    expect((await namesAt(third.next)).names).toBe('Z');
  });
});

test.runIf(isLocal)(
  'A page of a sorted list ends before the response would pass 6 MB',
  async () => {
    const notes = '"'.repeat(10_000);
    const { merchant, ids } = await newMerchantWith(90, (index) => ({
      name: `Nr ${(index * 7) % 90}`,
      notes,
      statuslog: notes,
    }));
    for (const sort of ['name', '-date']) {
      const { body, headers } = await merchant.call('GET', `/customers?limit=1000&sort=${sort}`);
      expect(body.length).toBeLessThan(90);
      expect(headers.has('link')).toBe(true);
      const all = await walk(merchant, `limit=1000&sort=${sort}`);
      expect(new Set(all.map((each) => each.mexcParamvaluesetsid))).toEqual(new Set(ids));
      expect(all).toHaveLength(90);
    }
    const names = (await walk(merchant, 'limit=1000&sort=name&fields=name')).map(
      ({ name }) => name,
    );
    expect(names).toEqual(Array.from({ length: 90 }, (_, index) => `Nr ${index}`));
  },
);

describe('A wrong sort is refused with 400', () => {
  test.each([
    ['sort=', 'must be one of'],
    ['sort=email', 'must be one of mexcParamvaluesetsid, date, name, customerid, updated'],
    ['sort=nmae', 'did you mean `name`?'],
    ['sort=+name', 'must be one of'],
    ['sort=--name', 'must be one of'],
    ['sort=name&sort=date', 'may be given only once'],
  ])('%s', async (query, detail) => {
    const merchant = await newMerchant();
    const answer = await merchant.call('GET', `/customers?${query}`);
    expectProblem(answer, 400, [{ parameter: 'sort' }]);
    expect(answer.body.errors[0].detail).toContain(detail);
  });
});

describe('fields', () => {
  let merchant: Client;
  let customer: Json;

  beforeAll(async () => {
    merchant = await newMerchant();
    customer = await create(merchant, { name: 'Ek "AB"', email: 'a@b', sendByPostOnly: '1' });
    await eventually(async () => {
      expect((await merchant.call('GET', '/customers/count')).body.count).toBe(1);
    });
  });

  test('chooses the members of a customer, alike on the list, with a filter and of one', async () => {
    const { mexcParamvaluesetsid: id, date } = customer;
    for (const [fields, expected] of [
      ['email,name', { mexcParamvaluesetsid: id, name: 'Ek "AB"', email: 'a@b' }],
      ['mexcParamvaluesetsid', { mexcParamvaluesetsid: id }],
      [
        'fax,sendByPostOnly,dontSendEFaktura',
        { mexcParamvaluesetsid: id, fax: '', sendByPostOnly: '1' },
      ],
      ['mm3servicesid', { mexcParamvaluesetsid: id, mm3servicesid: 0 }],
      ['version,updated', { mexcParamvaluesetsid: id, version: 1, updated: date }],
    ] as const) {
      const texts = [
        (await merchant.call('GET', `/customers/${id}?fields=${fields}`)).body,
        (await merchant.call('GET', `/customers?fields=${fields}`)).body[0],
        (await merchant.call('GET', `/customers?filter=isUnknown&fields=${fields}`)).body[0],
        (await merchant.call('GET', `/customers?email=a@b&fields=${fields}`)).body[0],
        (await merchant.call('GET', `/customers?sort=-date&fields=${fields}`)).body[0],
        (await merchant.call('GET', `/customers?sort=name&fields=${fields}`)).body[0],
      ].map((body) => JSON.stringify(body));
      expect(JSON.parse(texts[0] as string)).toEqual(expected);
      expect(new Set(texts).size).toBe(1);
    }
  });

  test('leaves version and updated out if it is not sent', async () => {
    expect((await merchant.call('GET', '/customers')).body).toEqual([customer]);
    const one = await merchant.call('GET', `/customers/${customer.mexcParamvaluesetsid}`);
    expect(one.body).toEqual(customer);
  });

  test('leaves the entity tag, by which If-None-Match responds 304', async () => {
    const path = `/customers/${customer.mexcParamvaluesetsid}?fields=version`;
    const { headers } = await merchant.call('GET', path);
    expect(headers.get('etag')).toBe('"1"');
    const again = await merchant.call('GET', path, { headers: { 'if-none-match': '"1"' } });
    expect(again.status).toBe(304);
  });

  test.each([
    ['fields=emial', 'did you mean `email`?'],
    ['fields=', 'names nothing'],
    ['fields=name,', 'names nothing'],
  ])('is refused with 400 for %s', async (query, detail) => {
    for (const path of ['/customers', `/customers/${customer.mexcParamvaluesetsid}`]) {
      const answer = await merchant.call('GET', `${path}?${query}`);
      expectProblem(answer, 400, [{ parameter: 'fields' }]);
      expect(answer.body.errors[0].detail).toContain(detail);
    }
  });
});
