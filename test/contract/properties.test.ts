import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FILTERS } from '../../shared/domain/customer-filter.ts';
import { MAX_SEARCH_LENGTH, MAX_SEARCH_TEXTS } from '../../shared/domain/limits.ts';
import { type Client, create, eventually, newMerchant, useApi } from '../support/api.ts';
import {
  customers,
  filterQueries,
  identityNumbers,
  isBlank,
  KNOWN_CUSTOMERS,
} from '../support/arbitraries.ts';
import { EXAMPLE_CUSTOMER } from '../support/example-customer.ts';
import {
  asTexts,
  CSV_READERS,
  exportByIds,
  exportBytesByIds,
  OPTIONAL_FIELDS,
  type Row,
  readJsonLines,
  readXlsxFile,
  readXml,
  withoutApostrophes,
} from '../support/export-files.ts';
import { type DatedCustomer, selects } from '../support/filter-meanings.ts';
import { iterations } from '../support/iterations.ts';

useApi();

/** Long enough for a deployed API, where each request takes longer. */
const TIMEOUT = 600_000;
/** A customer without fields, as every response shows it. */
const NOTHING = Object.fromEntries(Object.keys(EXAMPLE_CUSTOMER).map((name) => [name, '']));

const oneToThree = fc.array(customers, { minLength: 1, maxLength: 3 });

type Customer = Awaited<ReturnType<typeof create>>;

/** Returns the expected response for a customer with these texts and the system fields of `created`. */
function expectedOf(created: Customer, texts: Row) {
  const { mexcParamvaluesetsid, date, mexcModulesid, mm3servicesid } = created;
  const set = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
  return { ...NOTHING, ...set, mexcParamvaluesetsid, date, mexcModulesid, mm3servicesid };
}

describe('Any customers', () => {
  let merchant: Client;
  beforeAll(async () => {
    merchant = await newMerchant();
  });

  /** Creates customers, calls a test with the expected responses, and deletes them. */
  async function withCustomers(
    bodies: readonly Row[],
    check: (expected: ReturnType<typeof expectedOf>[], ids: number[]) => Promise<void>,
  ): Promise<void> {
    const expected = [];
    for (const body of bodies) expected.push(expectedOf(await create(merchant, body), body));
    const ids = expected.map(({ mexcParamvaluesetsid }) => mexcParamvaluesetsid);
    try {
      await check(expected, ids);
    } finally {
      await merchant.call('DELETE', '/customers', { body: ids });
    }
  }

  test('Any customers are read back as they were written', { timeout: TIMEOUT }, () =>
    fc.assert(
      fc.asyncProperty(oneToThree, (bodies) =>
        withCustomers(bodies, async (expected, ids) => {
          expect((await merchant.call('GET', '/customers')).body).toEqual(expected);
          for (const [index, id] of ids.entries()) {
            expect((await merchant.call('GET', `/customers/${id}`)).body).toEqual(expected[index]);
          }
        }),
      ),
      { numRuns: iterations({ short: 3, long: 60 }) },
    ),
  );

  test('Any customers are read from a CSV file as they were written', { timeout: TIMEOUT }, () =>
    fc.assert(
      fc.asyncProperty(
        oneToThree,
        fc.constantFrom('comma', 'semicolon'),
        fc.boolean(),
        (bodies, delimiter, bom) =>
          withCustomers(bodies, async (expected, ids) => {
            const file = await exportByIds(merchant, `csv?delimiter=${delimiter}&bom=${bom}`, ids);
            expect(file.startsWith('\ufeff')).toBe(bom);
            const rows = expected.map(asTexts);
            const separator = delimiter === 'comma' ? ',' : ';';
            for (const read of CSV_READERS) {
              expect(read(file, separator).map(withoutApostrophes)).toEqual(rows);
            }
          }),
      ),
      { numRuns: iterations({ short: 3, long: 60 }) },
    ),
  );

  test('Any customers are read from an XLSX file as they were written', { timeout: TIMEOUT }, () =>
    fc.assert(
      fc.asyncProperty(oneToThree, (bodies) =>
        withCustomers(bodies, async (expected, ids) => {
          const rows = await readXlsxFile(await exportBytesByIds(merchant, 'xlsx', ids));
          expect(rows).toEqual(expected.map(asTexts));
        }),
      ),
      { numRuns: iterations({ short: 3, long: 60 }) },
    ),
  );

  test('Any customers are read from JSON Lines as the list has them', { timeout: TIMEOUT }, () =>
    fc.assert(
      fc.asyncProperty(oneToThree, (bodies) =>
        withCustomers(bodies, async (expected, ids) => {
          expect(readJsonLines(await exportByIds(merchant, 'jsonl', ids))).toEqual(expected);
        }),
      ),
      { numRuns: iterations({ short: 3, long: 60 }) },
    ),
  );

  test('Any customers are read from an XML file as they were written', { timeout: TIMEOUT }, () =>
    fc.assert(
      fc.asyncProperty(oneToThree, (bodies) =>
        withCustomers(bodies, async (expected, ids) => {
          const rows = readXml(await exportByIds(merchant, 'xml', ids));
          expect(rows.map((row) => ({ ...OPTIONAL_FIELDS, ...row }))).toEqual(
            expected.map(asTexts),
          );
        }),
      ),
      { numRuns: iterations({ short: 3, long: 60 }) },
    ),
  );
});

test('Any sequence of PATCH requests has the result of the same changes to a plain object', {
  timeout: TIMEOUT,
}, async () => {
  const merchant = await newMerchant();
  await fc.assert(
    fc.asyncProperty(
      customers,
      fc.array(customers, { minLength: 1, maxLength: 5 }),
      async (first, changes) => {
        const origin = await create(merchant, first);
        const path = `/customers/${origin.mexcParamvaluesetsid}`;
        let texts: Row = first;
        for (const change of changes) {
          texts = { ...texts, ...change };
          const { status, body } = await merchant.call('PATCH', path, { body: change });
          expect(status).toBe(200);
          expect(body).toEqual(expectedOf(origin, texts));
        }
        expect((await merchant.call('GET', path)).body).toEqual(expectedOf(origin, texts));
      },
    ),
    { numRuns: iterations({ short: 3, long: 50 }) },
  );
});

test('Any valid identity number finds its customer in any notation', {
  timeout: TIMEOUT,
}, async () => {
  const merchant = await newMerchant();
  await fc.assert(
    fc.asyncProperty(identityNumbers, fc.nat(), fc.nat(), async ({ kind, forms }, a, b) => {
      const companyno = forms[a % forms.length];
      const asked = forms[b % forms.length] as string;
      const address = crypto.randomUUID();
      const texts = { name: 'N', companyno, address };
      const { mexcParamvaluesetsid: id } = await create(merchant, texts);
      await eventually(async () => {
        const path = `/customers/searchByOrgNumber/${encodeURIComponent(asked)}`;
        const { status, body } = await merchant.call('GET', path);
        expect(status, `${asked} asked for, ${companyno} written`).toBe(200);
        expect(body.street).toBe(address);
        expect(body.company).toBe(kind === 'company' ? 'N' : '');
      });
      await merchant.call('DELETE', `/customers/${id}`);
    }),
    // A failure is seen only after a long wait, so shrinking it would take too long.
    { numRuns: iterations({ short: 12, long: 200 }), endOnFailure: true },
  );
});

describe('Any filters', () => {
  type Created = DatedCustomer & { readonly id: number };
  const created: Created[] = [];
  let merchant: Client;

  beforeAll(async () => {
    merchant = await newMerchant();
    for (const [index, known] of KNOWN_CUSTOMERS.entries()) {
      const customer = await (index % 3 === 0 ? createByChange : create)(merchant, known.texts);
      const { mexcParamvaluesetsid: id, date = '' } = customer;
      created.push({ ...known, id, date });
    }
    await eventually(async () => {
      const count = async (query: string) =>
        (await merchant.call('GET', `/customers/count?${query}`)).body.count;
      expect(await count('')).toBe(KNOWN_CUSTOMERS.length);
      expect(await count(`filter=search&search=${UNCHANGED}`)).toBe(0);
    });
  }, TIMEOUT);

  test(
    'Any filters select, count and page the same customers as a reference implementation',
    { timeout: TIMEOUT },
    () =>
      fc.assert(
        fc.asyncProperty(
          filterQueries,
          fc.noBias(fc.integer({ min: 1, max: KNOWN_CUSTOMERS.length + 1 })),
          fc.oneof(fc.constant(0), fc.nat({ max: KNOWN_CUSTOMERS.length })),
          async ({ filters, parameters, query }, limit, start) => {
            const isMeant = (customer: Created) => selects(filters, parameters, customer);
            const expected = created.filter(isMeant).map(({ id }) => id);
            const path = `/customers?${query}`;
            expect(await idsOnPages(merchant, `${path}&limit=1000`)).toEqual([expected]);
            const { body } = await merchant.call('GET', `/customers/count?${query}`);
            expect(body).toEqual({ count: expected.length });
            const pages = await idsOnPages(merchant, `${path}&limit=${limit}&start=${start}`);
            expect(pages).toEqual(inPages(expected.slice(start), limit));
          },
        ),
        { numRuns: iterations({ short: 8, long: 200 }) },
      ),
  );

  test('A search finds each customer by its name in upper and in lower case', async () => {
    const missed: unknown[] = [];
    for (const { id, texts } of created) {
      for (const text of [texts.name?.toUpperCase(), texts.name?.toLowerCase()]) {
        if (text === undefined || isBlank(text)) continue;
        const path = `/customers?filter=search&search=${encodeURIComponent(text)}`;
        const found = (await idsOnPages(merchant, path)).flat();
        if (!found.includes(id)) missed.push({ name: texts.name, text });
      }
    }
    expect(missed).toEqual([]);
  });

  test('A filter that is named 400 times selects the same as once', async () => {
    const many = Array(400).fill('!isPrivate').join(',');
    expect(await idsOnPages(merchant, `/customers?filter=${many}`)).toEqual(
      await idsOnPages(merchant, '/customers?filter=!isPrivate'),
    );
  });

  test('A request may use all filters at once, with the maximum of search texts', async () => {
    const names = Object.keys(FILTERS);
    const query = new URLSearchParams({ filter: names.map((name) => `${name},!${name}`).join() });
    for (const name of ['search', 'searchInInvoiceForm']) {
      for (let nth = 0; nth < MAX_SEARCH_TEXTS; nth += 1) {
        query.append(name, `${nth}`.repeat(MAX_SEARCH_LENGTH));
      }
    }
    query.append('from', '2026-01-01');
    query.append('to', '2026-12-31');
    for (const name of ['isPrivate', 'isCompany', 'isUnknown', 'isEFaktura', 'isReverseTax']) {
      query.append(name, '1');
    }
    expect(await idsOnPages(merchant, `/customers?${query}`)).toEqual([[]]);
    // A filter and its inverse select nobody, whatever else is asked for.
    query.set('filter', names.join());
    expect(await idsOnPages(merchant, `/customers?${query}`)).toEqual([[]]);
  });
});

/** Name of a customer that is still to be changed. */
const UNCHANGED = 'not-changed-yet';

/** Creates another customer and changes it until it has these texts. */
async function createByChange(merchant: Client, texts: Row): Promise<Customer> {
  const known = { companyno: '556703-7485', customertypecode: 'private', reversetax: '1' };
  const customer = await create(merchant, { ...EXAMPLE_CUSTOMER, ...known, name: UNCHANGED });
  const path = `/customers/${customer.mexcParamvaluesetsid}`;
  const { status } = await merchant.call('PATCH', path, { body: texts });
  expect(status).toBe(200);
  return customer;
}

/** Returns the ids on a page of the list and on all pages after it. */
async function idsOnPages(merchant: Client, first: string): Promise<number[][]> {
  const pages: number[][] = [];
  let path: string | undefined = first;
  while (path) {
    const { status, headers, body } = await merchant.call('GET', path);
    expect(status, JSON.stringify(body)).toBe(200);
    pages.push(body.map((customer: Customer) => customer.mexcParamvaluesetsid));
    const next: string | undefined = headers.get('link')?.match(/^<(.+)>; rel="next"$/)?.[1];
    path = next?.slice(merchant.url.length);
  }
  return pages;
}

/** Splits a list into pages; an empty list is one empty page. */
function inPages(ids: readonly number[], limit: number): number[][] {
  const count = Math.max(1, Math.ceil(ids.length / limit));
  return Array.from({ length: count }, (_, page) => ids.slice(page * limit, (page + 1) * limit));
}
