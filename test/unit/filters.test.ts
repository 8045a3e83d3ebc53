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

test('a query without filters selects everyone', () => {
  expect(read('')).toEqual({ filter: EVERYONE });
  expect(isEveryone(EVERYONE)).toBe(true);
});

test('a filter survives its way through JSON, as a background job is given it', () => {
  expect(isEveryone(JSON.parse(JSON.stringify(EVERYONE)))).toBe(true);
  const { filter } = read('filter=isCompany');
  expect(JSON.parse(JSON.stringify(filter))).toEqual(filter);
});

describe('a filter by name', () => {
  test('of a kind compares the kind', () => {
    expect(read('filter=isCompany').filter?.condition).toEqual({
      all: [{ attribute: 'kind', equals: 'company' }],
    });
  });

  test.each(['filter=!isCompany', 'filter=isCompany&isCompany=0'])('is inverted by %s', (query) => {
    expect(read(query).filter?.condition).toEqual({
      all: [{ not: { attribute: 'kind', equals: 'company' } }],
    });
  });

  test('counts once, however often and in whatever form it is named', () => {
    const once = read('filter=isCompany,isEFaktura').filter;
    expect(read('filter[]=isCompany&filter[]=isEFaktura,%20isCompany,').filter).toEqual(once);
  });

  test('of several kinds selects those that are set to 1, and nobody if all are 0', () => {
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

describe('a search', () => {
  test('compares folded texts with names and addresses, and digits with the company number', () => {
    expect(conditions('filter=search&search=556703-7485')).toEqual([
      {
        all: [
          {
            any: [
              { attribute: 'nameText', contains: '556703-7485' },
              { attribute: 'addressText', contains: '556703-7485' },
              { attribute: 'companyDigits', contains: '5567037485' },
            ],
          },
        ],
      },
    ]);
  });

  test('in the invoice form leaves addresses out', () => {
    const query = 'filter=searchInInvoiceForm&searchInInvoiceForm=åsa';
    expect(conditions(query)).toEqual([
      { all: [{ any: [{ attribute: 'nameText', contains: 'ÅSA' }] }] },
    ]);
  });
});

describe('a range of dates', () => {
  test('includes both days', () => {
    expect(read('filter=rangeByDate&from=2026-01-31&to=2026-02-01').filter).toEqual({
      created: [{ from: start('2026-01-31'), to: start('2026-02-02') - 1 }],
    });
  });

  test('that is inverted leaves both days out', () => {
    const { filter } = read('filter=!rangeByDate&from=2026-01-31&to=2026-01-31');
    expect(filter?.created).toEqual([
      { from: 0, to: start('2026-01-31') - 1 },
      { from: start('2026-02-01'), to: Number.MAX_SAFE_INTEGER },
    ]);
  });

  test('and its inverse select nobody together', () => {
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
])('%s is refused', (query, faults) => {
  expect(read(query).faults).toEqual(
    faults.map(({ parameter, detail }) => ({
      parameter,
      detail: detail instanceof RegExp ? expect.stringMatching(detail) : detail,
    })),
  );
});

test('a text of 255 code points may be searched for, however many code units it has', () => {
  expect(read(`filter=search&search=${'𝒳'.repeat(255)}`).faults).toBeUndefined();
});

test('every filter is described by the parameters that it takes', () => {
  const texts = Object.values(filterDescriptions()).join(' ');
  for (const name of FILTER_NAMES) expect(texts).toContain(`${name}: `);
  const parameters = new Set(FILTER_NAMES.flatMap((name) => [...FILTERS[name].parameters]));
  expect(Object.keys(filterParameters)).toEqual(['filter', ...parameters]);
});

function conditions(query: string) {
  const { condition } = read(query).filter ?? {};
  return condition && 'all' in condition ? condition.all : undefined;
}
