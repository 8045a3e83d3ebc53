import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type Client, create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';
import { COMPANY_NUMBER, customerIdsOf, newSampleMerchant } from '../support/sample-merchant.ts';
import { newMerchantWith } from '../support/seed.ts';

useApi();

/** Ids whose creation times a search reads at once. */
const IDS_OF_ONE_READ = 64;

describe('Filters', () => {
  const today = new Date().toISOString().slice(0, 10);
  let sampleMerchant: Client;
  beforeAll(async () => {
    sampleMerchant = await newSampleMerchant();
  });

  test.each([
    ['', 'K1 K2 K3 K4 K5'],
    ['filter=search&search=nisse', 'K1 K4'],
    ['filter=search&search=Nisse%20Hult', 'K1'],
    ['filter=search&search=Nisse&search=Hult', 'K1 K4'],
    ['filter=search&search[0]=Nisse&search[1]=K4', 'K4'],
    ['filter=search&search[]=Nisse&search[]=ågatan', 'K1'],
    ['filter=search&search=%C3%A5kers%20%C3%A4ppel%C3%B6', 'K2'],
    ['filter=search&search=A%CC%8Akers', 'K2'],
    ['filter=search&search=5567037485', 'K2 K5'],
    ['filter=search&search=556703-7485', 'K2 K5'],
    ['filter=search&search=6703-7485', 'K2 K5'],
    ['filter=search&search=199001189811', 'K1'],
    ['filter=search&search=östersund', 'K3'],
    ['filter=search&search=123%2045', 'K1'],
    ['filter=!search&search=nisse', 'K2 K3 K5'],
    ['filter=search&search=a,b', ''],
    ['filter=searchInInvoiceForm&searchInInvoiceForm=nisse', 'K1 K4'],
    ['filter=searchInInvoiceForm&searchInInvoiceForm=ågatan', ''],
    ['filter=isPrivate', 'K1 K5'],
    ['filter=isPrivate&isPrivate=0', 'K2 K3 K4'],
    ['filter=!isPrivate&isPrivate=0', 'K1 K5'],
    ['filter=isCompany', 'K2 K4'],
    ['filter=isUnknown', 'K3'],
    ['filter=isCustomerType&isPrivate=1&isUnknown=1', 'K1 K3 K5'],
    ['filter=!isCustomerType&isPrivate=1&isUnknown=1', 'K2 K4'],
    ['filter=isCustomerType&isPrivate=0', ''],
    ['filter=isEFaktura', 'K3'],
    ['filter=!isEFaktura', 'K1 K2 K4 K5'],
    ['filter=isReverseTax', 'K2'],
    ['filter=isTitle&isEFaktura=1&isReverseTax=1', 'K2 K3'],
    ['filter=isCompany,search&search=Nisse', 'K4'],
    ['filter=isCompany&filter=!search&search=Nisse', 'K2'],
    ['filter[0]=isPrivate&filter[1]=search&search=Tom', 'K5'],
    [`filter=rangeByDate&from=${today}&to=2999-01-01`, 'K1 K2 K3 K4 K5'],
    ['filter=rangeByDate&from=2020-02-29&to=2020-03-01', ''],
    ['filter=!rangeByDate&from=2020-02-29&to=2020-03-01', 'K1 K2 K3 K4 K5'],
    [`filter=!rangeByDate,isPrivate&from=${today}&to=2999-01-01`, ''],
  ])('The query %j selects and counts the customers %j', async (query, expected) => {
    await eventually(async () => {
      const list = await sampleMerchant.call('GET', `/customers?${query}`);
      expect(list.status, JSON.stringify(list.body)).toBe(200);
      expect(customerIdsOf(list.body)).toBe(expected);
      const { body } = await sampleMerchant.call('GET', `/customers/count?${query}`);
      expect(body).toEqual({ count: list.body.length });
    });
  });

  // Last, since on a deployed API the new merchant is the sample merchant, emptied.
  test('Filters compare the current fields of a customer that was changed', async () => {
    const merchant = await newMerchant();
    const { mexcParamvaluesetsid: id } = await create(merchant, {
      name: 'Före',
      companyno: COMPANY_NUMBER,
    });
    await merchant.call('PATCH', `/customers/${id}`, { body: { name: 'Efter', companyno: '' } });
    await eventually(async () => {
      const find = async (query: string) =>
        (await merchant.call('GET', `/customers/count?${query}`)).body.count;
      expect(await find('filter=search&search=FÖRE')).toBe(0);
      expect(await find('filter=search&search=EFTER')).toBe(1);
      expect(await find('filter=isCompany')).toBe(0);
      expect(await find('filter=isUnknown')).toBe(1);
    });
  });
});

describe.runIf(isLocal)('Large registers', () => {
  /** Creates a merchant with three customers, named by the day, on each of some days of 2024. */
  async function newMerchantOfDays(stepDays: number) {
    const days: string[] = [];
    for (let day = 0; day < 365; day += 1 + ((day * 7) % stepDays)) {
      days.push(new Date(Date.parse('2024-01-01') + day * 86_400_000).toISOString().slice(0, 10));
    }
    const times = ['00:00:00.000', '12:00:00.000', '23:59:59.999'];
    const dates = days.flatMap((day) => times.map((time) => `${day}T${time}Z`));
    const { merchant, customers } = await newMerchantWith(
      dates.length,
      (index) => ({ name: (dates[index] as string).slice(0, 10) }),
      (index) => dates[index] as string,
    );
    return { merchant, days: customers.map(({ name }) => name as string) };
  }

  async function expectDays(
    { merchant, days }: Awaited<ReturnType<typeof newMerchantOfDays>>,
    from: string,
    to: string,
  ) {
    const isIn = (day: string) => from <= day && day <= to;
    for (const inverted of ['', '!']) {
      const query = `filter=${inverted}rangeByDate&from=${from}&to=${to}`;
      const path = `/customers?limit=1000&fields=name&${query}`;
      const { body } = await merchant.call('GET', path);
      expect(
        body.map(({ name }: { name: string }) => name),
        query,
      ).toEqual(days.filter((day) => isIn(day) !== (inverted === '!')));
      const count = await merchant.call('GET', `/customers/count?${query}`);
      expect(count.body).toEqual({ count: body.length });
    }
  }

  test('The filter rangeByDate selects customers by the days of their creation', async () => {
    const registered = await newMerchantOfDays(40);
    const bounds = ['2023-12-31', '2024-01-01', '2024-01-02', '2024-02-29', '2024-06-30'];
    for (const from of bounds) {
      for (const to of [...bounds, '2024-12-30', '2025-01-01'].filter((day) => day >= from)) {
        await expectDays(registered, from, to);
      }
    }
  });

  test('The filter rangeByDate finds the first customer of a day among more than it reads at once', async () => {
    const registered = await newMerchantOfDays(12);
    expect(registered.days.length).toBeGreaterThan(2 * IDS_OF_ONE_READ);
    for (const [from, to] of [
      ['2024-01-01', '2024-06-30'],
      ['2024-02-15', '2024-02-15'],
      ['2024-12-27', '2024-12-28'],
    ] as const) {
      await expectDays(registered, from, to);
    }
  });

  test('rangeByDate finds a month in Sweden by its time zone, or by instants', async () => {
    const merchant = crypto.randomUUID();
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const time of [
        '2026-06-30T21:59:59.999Z',
        '2026-06-30T23:30:00.000Z',
        '2026-07-15T12:00:00.000Z',
        '2026-07-31T22:30:00.000Z',
      ]) {
        vi.setSystemTime(time);
        await create(await newMerchant(0, { merchant }), { name: time.slice(5, 16) });
      }
    } finally {
      vi.useRealTimers();
    }
    const client = await newMerchant(0, { merchant });
    for (const [query, names] of [
      ['from=2026-07-01&to=2026-07-31', '07-15T12:00 07-31T22:30'],
      ['from=2026-07-01&to=2026-07-31&timezone=UTC', '07-15T12:00 07-31T22:30'],
      ['from=2026-07-01&to=2026-07-31&timezone=Europe/Stockholm', '06-30T23:30 07-15T12:00'],
      [
        'from=2026-07-01T00:00:00%2B02:00&to=2026-07-31T23:59:59.999%2B02:00',
        '06-30T23:30 07-15T12:00',
      ],
    ]) {
      const { body } = await client.call('GET', `/customers?filter=rangeByDate&${query}`);
      expect(body.map(({ name }: { name: string }) => name).join(' '), query).toBe(names);
      const path = `/customers?limit=1&filter=rangeByDate&${query}`;
      const link = (await client.call('GET', path)).headers.get('link') ?? '';
      const next = await client.call('GET', /<https?:\/\/[^/]+(.+)>/.exec(link)?.[1] ?? '');
      expect(next.body[0].name).toBe(names?.split(' ')[1]);
    }
  });

  test('Count, search and start cover all pages of a large index', async () => {
    // An index entry of the longest texts has 6 kB, and a page of the index 1 MB.
    const long = Object.fromEntries(
      ['name', 'customerid', 'companyno', 'address', 'postcode', 'postoffice'].map((name) => [
        name,
        'ö'.repeat(255),
      ]),
    );
    const { merchant, customers } = await newMerchantWith(500, (index) => ({
      ...long,
      fax: `${index}`,
      name: `${'ö'.repeat(200)} ${index % 7}`,
    }));
    const deleted = customers.filter(
      ({ fax }) => Number(fax) % 9 === 4 || /^3\d\d$/.test(String(fax)),
    );
    const ids = deleted.map((customer) => customer.mexcParamvaluesetsid);
    await merchant.call('DELETE', '/customers', { body: ids });
    const left = customers.filter((customer) => !deleted.includes(customer));
    const found = left.filter(({ name }) => String(name).endsWith(' 3'));

    const headers = { 'accept-encoding': 'gzip' };
    const get = async (path: string) => (await merchant.call('GET', path, { headers })).body;
    const search = 'filter=search&search=%203';
    expect(await get('/customers/count')).toEqual({ count: left.length });
    expect(await get(`/customers/count?${search}`)).toEqual({ count: found.length });
    expect(await get(`/customers?limit=1000&${search}`)).toEqual(found);
    expect(await get('/customers?limit=5&start=300')).toEqual(left.slice(300, 305));
    expect(await get(`/customers?limit=3&start=40&${search}`)).toEqual(found.slice(40, 43));
    const { body } = await merchant.call('GET', `/customers/export/csv?${search}`);
    expect(body.count).toBe(found.length);
  });
});

describe('Wrong queries', () => {
  test.each([
    ['filter=isWrong', 'filter'],
    ['filter=!', 'filter'],
    ['filter=', 'filter'],
    ['filter', 'filter'],
    ['filter=%20', 'filter'],
    ['filter=,', 'filter'],
    ['filter[]=', 'filter'],
    ['filter=isCompany,', 'filter'],
    ['filter=isCompany&filter=', 'filter'],
    ['filter=isPrivate&isPrivate=', 'isPrivate'],
    ['filter=rangeByDate&from=&to=2024-01-01', 'from'],
    ['limit=', 'limit'],
    ['start=', 'start'],
    ['cursor=', 'cursor'],
    ['filter=constructor', 'filter'],
    ['filter=search', 'search'],
    ['filter=search&search=', 'search'],
    ['filter=search&search=%20', 'search'],
    ['filter=search&search=%C2%A0%E2%80%8B', 'search'],
    ['filter=!search&search=+', 'search'],
    ['filter=searchInInvoiceForm&searchInInvoiceForm=%09', 'searchInInvoiceForm'],
    ['search=nisse', 'search'],
    ['isPrivate=1', 'isPrivate'],
    ['filter=isPrivate&isPrivate=2', 'isPrivate'],
    ['filter=isCustomerType', 'isPrivate'],
    ['filter=rangeByDate&from=2024-01-01', 'to'],
    ['filter=rangeByDate&from=2024-02-30&to=2024-03-01', 'from'],
    ['filter=rangeByDate&from=2024-01-01&to=20240101', 'to'],
    ['filter=rangeByDate&from=2024-01-02&to=2024-01-01', 'from'],
    ['filter=rangeByDate&from=2024-01-01T00:00:00&to=2024-01-02', 'from'],
    ['filter=rangeByDate&from=2024-01-01&to=2024-01-02&timezone=Stockholm', 'timezone'],
  ])('GET /customers?%s returns 400 and names the parameter', async (query, parameter) => {
    const merchant = await newMerchant();
    const answer = await merchant.call('GET', `/customers?${query}`);
    expectProblem(answer, 400, [{ parameter }]);
    expect(answer.body.detail).toContain(parameter);
  });

  test.each(['count', 'export/csv', 'export/xml'])(
    'An empty filter, as of a script with an unset variable, returns 400 from %s',
    async (path) => {
      const merchant = await newMerchant();
      const { status, body } = await merchant.call('GET', `/customers/${path}?filter=`);
      expect(status).toBe(400);
      expect(body.errors).toEqual([
        { parameter: 'filter', detail: expect.stringMatching(/^names nothing, which is none of/) },
      ]);
    },
  );

  test.each([
    ['Latin-1', 'search=%C5sa'],
    ['Latin-1 in a name', 's%E4rch=a'],
    ['Windows-1252 in lower case', 'search=bj%f6rk'],
    ['UTF-16', 'search=%FF%FE%C5%00'],
    ['a UTF-8 sequence that is cut off', 'search=%C3'],
    ['an overlong sequence', 'search=%C0%80'],
    ['half of a surrogate pair', 'search=%ED%A0%80'],
    ['an escape that is cut off', 'search=%E0%A4%A'],
    ['the mark of a character that was lost before', 'search=%EF%BF%BDsa'],
  ])('Text that is not UTF-8 returns 400: %s', async (_, query) => {
    const merchant = await newMerchant();
    for (const filter of ['search', '!search']) {
      const path = `/customers/count?filter=${filter}&${query}`;
      const { status, body } = await merchant.call('GET', path);
      expect(status).toBe(400);
      expect(JSON.stringify(body.errors)).toContain('UTF-8');
    }
  });

  test('All errors of a query are returned at once', async () => {
    const merchant = await newMerchant();
    const query = 'limit=0&start=-1&filter=rangeByDate,search&from=x&serch=a&isCompany=2';
    const { status, body } = await merchant.call('GET', `/customers?${query}`);
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      { parameter: 'serch', detail: 'is not a parameter of this call; did you mean `search`?' },
      { parameter: 'limit', detail: 'must be an integer from 1 to 1000; got `0`' },
      { parameter: 'start', detail: 'must be an integer from 0 to 9007199254740991; got `-1`' },
      {
        parameter: 'from',
        detail: expect.stringMatching(/^must be a day that exists, as YYYY-MM-DD/),
      },
      { parameter: 'isCompany', detail: 'must be 0 or 1; got `2`' },
      { parameter: 'isCompany', detail: 'needs filter=isCompany or filter=isCustomerType' },
      { parameter: 'to', detail: 'is missing; filter rangeByDate needs it' },
      { parameter: 'search', detail: 'is missing; filter search needs it' },
    ]);
    expect(body.detail).toContain('serch is not a parameter of this call');
  });
});
