import { describe, expect, test } from 'vitest';
import {
  EVERYONE,
  FILTER_NAMES,
  FILTERS,
  isEveryone,
  toCustomerFilter,
} from '../../shared/domain/customer-filter.ts';
import {
  filterDescriptions,
  filterOfQuery,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import { validation } from '../../shared/http/validation.ts';
import { httpEvent, lambdaContext } from '../support/http-event.ts';

const DAY = 24 * 60 * 60 * 1_000;
const start = (day: string) => Date.parse(`${day}T00:00:00Z`);

/** Returns the filter of a query, or its faults. */
function read(query: string) {
  const event = httpEvent({ query });
  const request = { event, context: lambdaContext(), internal: {} };
  try {
    const { before } = validation({ query: filterParameters, rules: [filterRule] });
    before?.(request as unknown as Parameters<NonNullable<typeof before>>[0]);
  } catch (error) {
    return { faults: (error as { faults: unknown[] }).faults };
  }
  return {
    filter: filterOfQuery(
      (event as never as { queryStringParameters: object }).queryStringParameters,
    ),
  };
}

test('A query without filters selects all customers', () => {
  expect(read('')).toEqual({ filter: EVERYONE });
  expect(isEveryone(EVERYONE)).toBe(true);
});

test('A filter is the same after serialization as JSON, in which an export job receives it', () => {
  expect(isEveryone(JSON.parse(JSON.stringify(EVERYONE)))).toBe(true);
  const { filter } = read('filter=isCompany');
  expect(JSON.parse(JSON.stringify(filter))).toEqual(filter);
});

describe('Filter names', () => {
  test('The filter isCompany compares the kind of a customer', () => {
    expect(read('filter=isCompany').filter?.condition).toEqual({
      all: [{ attribute: 'kind', equals: 'company' }],
    });
  });

  test.each(['filter=!isCompany', 'filter=isCompany&isCompany=0'])(
    'The filter isCompany is inverted by %s',
    (query) => {
      expect(read(query).filter?.condition).toEqual({
        all: [{ not: { attribute: 'kind', equals: 'company' } }],
      });
    },
  );

  test('A filter applies once, however often and in whatever notation it is named', () => {
    const once = read('filter=isCompany,isEFaktura').filter;
    expect(read('filter[]=isCompany&filter[]=isEFaktura,%20isCompany,').filter).toEqual(once);
  });

  test('The filter isCustomerType selects the kinds that are 1, and no customer if all are 0', () => {
    const [any] = conditions('filter=isCustomerType&isPrivate=1&isCompany=0&isUnknown=1') ?? [];
    expect(any).toEqual({
      any: [
        { attribute: 'kind', equals: 'private' },
        { attribute: 'kind', equals: 'unknown' },
      ],
    });
    expect(conditions('filter=isCustomerType&isPrivate=0')).toEqual([{ any: [] }]);
  });
});

describe('Search', () => {
  test('A search compares case-folded texts with names and addresses, and digits with the company number', () => {
    expect(conditions('filter=search&search=556703-7485')).toEqual([
      {
        all: [
          {
            any: [
              { attribute: 'nameText', contains: '556703-7485' },
              { attribute: 'companyText', contains: '5567037485' },
              { attribute: 'addressText', contains: '556703-7485' },
              { attribute: 'postcodeText', contains: '5567037485' },
            ],
          },
        ],
      },
    ]);
  });

  test('The filter searchInInvoiceForm does not search addresses', () => {
    const query = 'filter=searchInInvoiceForm&searchInInvoiceForm=åsa';
    expect(conditions(query)).toEqual([
      {
        all: [
          {
            any: [
              { attribute: 'nameText', contains: 'ÅSA' },
              { attribute: 'companyText', contains: 'ÅSA' },
            ],
          },
        ],
      },
    ]);
  });

  test.each([
    ['SE556703748501', '5567037485'],
    ['16556703-7485', '5567037485'],
    ['NO 999 990 010 MVA', '999990010'],
    ['6703-74', '670374'],
  ])('looks for %s in companyno by the digits %s', (text, digits) => {
    const [condition] = conditions(`filter=searchInInvoiceForm&searchInInvoiceForm=${text}`) ?? [];
    expect(condition).toMatchObject({ all: [{ any: [{}, { contains: digits }] }] });
  });

  test('of nothing but separators looks for them in names and addresses alone', () => {
    expect(conditions('filter=search&search=-')).toEqual([
      {
        all: [
          {
            any: [
              { attribute: 'nameText', contains: '-' },
              { attribute: 'addressText', contains: '-' },
            ],
          },
        ],
      },
    ]);
  });
});

describe('Date ranges', () => {
  test('The filter rangeByDate includes both days', () => {
    expect(read('filter=rangeByDate&from=2026-01-31&to=2026-02-01').filter).toEqual({
      created: [{ from: start('2026-01-31'), to: start('2026-02-02') - 1 }],
    });
  });

  test('The filter !rangeByDate excludes both days', () => {
    const { filter } = read('filter=!rangeByDate&from=2026-01-31&to=2026-01-31');
    expect(filter?.created).toEqual([
      { from: 0, to: start('2026-01-31') - 1 },
      { from: start('2026-02-01'), to: Number.MAX_SAFE_INTEGER },
    ]);
  });

  test('The filters rangeByDate and !rangeByDate together select no customer', () => {
    const values = { from: start('2026-01-31'), to: start('2026-02-03') };
    expect(toCustomerFilter(['rangeByDate', '!rangeByDate'], values).created).toEqual([]);
    expect(toCustomerFilter(['rangeByDate'], values).created[0]?.to).toBe(values.to + DAY - 1);
  });
});

test.each([
  ['filter=!', [{ parameter: 'filter', detail: /^names nothing, which is none of search,/ }]],
  ['filter=isOdd', [{ parameter: 'filter', detail: /^names isOdd, which is none of search,/ }]],
  ['filter=search', [{ parameter: 'search', detail: 'is missing; filter search needs it' }]],
  ['search=a', [{ parameter: 'search', detail: 'needs filter=search' }]],
  [
    'isPrivate=1',
    [{ parameter: 'isPrivate', detail: 'needs filter=isPrivate or filter=isCustomerType' }],
  ],
  [
    'filter=isTitle',
    [{ parameter: 'isEFaktura', detail: 'is missing; give one of isEFaktura, isReverseTax' }],
  ],
  [
    'filter=rangeByDate&from=2026-02-30&to=x',
    [
      { parameter: 'from', detail: 'must be a date that exists, as YYYY-MM-DD' },
      { parameter: 'to', detail: 'must be a date that exists, as YYYY-MM-DD' },
    ],
  ],
  [
    'filter=rangeByDate&from=2026-01-02&to=2026-01-01',
    [{ parameter: 'from', detail: 'is 2026-01-02, which is after to, 2026-01-01' }],
  ],
  [
    `filter=search&search=${'x'.repeat(256)}`,
    [{ parameter: 'search', detail: 'must have at most 255 characters' }],
  ],
  [
    `filter=search${'&search=x'.repeat(11)}`,
    [{ parameter: 'search', detail: 'may be given at most 10 times' }],
  ],
])('The query %s is rejected with the parameter and the reason', (query, faults) => {
  expect(read(query).faults).toEqual(
    faults.map(({ parameter, detail }) => ({
      parameter,
      detail: detail instanceof RegExp ? expect.stringMatching(detail) : detail,
    })),
  );
});

test('A search text of 255 code points is accepted, however many UTF-16 code units it has', () => {
  expect(read(`filter=search&search=${'𝒳'.repeat(255)}`).faults).toBeUndefined();
});

test('Every filter is described with its parameters', () => {
  const texts = Object.values(filterDescriptions()).join(' ');
  for (const name of FILTER_NAMES) expect(texts).toContain(`${name}: `);
  const parameters = new Set(FILTER_NAMES.flatMap((name) => [...FILTERS[name].parameters]));
  expect(Object.keys(filterParameters)).toEqual(['filter', ...parameters]);
});

function conditions(query: string) {
  const { condition } = read(query).filter ?? {};
  return condition && 'all' in condition ? condition.all : undefined;
}
