import { describe, expect, test } from 'vitest';
import {
  EVERYONE,
  FILTER_NAMES,
  FILTERS,
  isEveryone,
  LOOK_UP_NAMES,
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
    expect(read('filter[]=isCompany&filter[]=isEFaktura,%20isCompany').filter).toEqual(once);
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

test.each(FILTER_NAMES)(
  'The filter %s together with its inverse selects nobody, and reads nothing',
  (name) => {
    expect(toCustomerFilter([name, `!${name}`], { search: ['a'] })).toEqual({ created: [] });
  },
);

describe('Date ranges', () => {
  const range = (query: string) => {
    const { filter, faults } = read(`filter=rangeByDate&${query}`);
    const created = filter?.created[0];
    return created
      ? [created.from, created.to].map((time) => new Date(time).toISOString())
      : faults;
  };

  test('The filter rangeByDate includes both days', () => {
    expect(read('filter=rangeByDate&from=2026-01-31&to=2026-02-01').filter).toEqual({
      created: [{ from: start('2026-01-31'), to: start('2026-02-02') - 1 }],
    });
  });

  test.each([
    ['UTC', '2026-07-01T00:00:00.000Z', '2026-07-31T23:59:59.999Z'],
    ['Europe/Stockholm', '2026-06-30T22:00:00.000Z', '2026-07-31T21:59:59.999Z'],
    ['europe/stockholm', '2026-06-30T22:00:00.000Z', '2026-07-31T21:59:59.999Z'],
    ['Europe/Helsinki', '2026-06-30T21:00:00.000Z', '2026-07-31T20:59:59.999Z'],
    ['America/New_York', '2026-07-01T04:00:00.000Z', '2026-08-01T03:59:59.999Z'],
    ['Pacific/Kiritimati', '2026-06-30T10:00:00.000Z', '2026-07-31T09:59:59.999Z'],
    ['Pacific/Pago_Pago', '2026-07-01T11:00:00.000Z', '2026-08-01T10:59:59.999Z'],
  ])('rangeByDate has the days of the time zone %s', (timezone, from, to) => {
    expect(range(`from=2026-07-01&to=2026-07-31&timezone=${timezone}`)).toEqual([from, to]);
  });

  test.each([
    ['Europe/Stockholm', '2026-03-29', 23],
    ['Europe/Stockholm', '2026-10-25', 25],
    ['Europe/Stockholm', '2026-01-01', 24],
    // Clocks went from midnight to one, so that the day had no midnight.
    ['America/Sao_Paulo', '2018-11-04', 23],
    // The day was left out.
    ['Pacific/Apia', '2011-12-30', 0],
  ])('rangeByDate in %s has for %s the hours of that day: %i', (timezone, day, hours) => {
    const { filter, faults } = read(
      `filter=rangeByDate&from=${day}&to=${day}&timezone=${timezone}`,
    );
    const { from = 0, to = -1 } = filter?.created[0] ?? {};
    expect((to + 1 - from) / 3_600_000).toBe(hours);
    expect(faults).toEqual(
      hours > 0 ? undefined : [expect.objectContaining({ parameter: 'from' })],
    );
  });

  test.each([
    ['from=2026-07-01T00:00:00%2B02:00&to=2026-07-31T23:59:59.999%2B02:00'],
    ['from=2026-07-01T00:00:00+02:00&to=2026-07-31T23:59:59.999+02:00'],
    ['from=2026-06-30T22:00:00Z&to=2026-07-31t21:59:59.999z'],
    ['from=2026-06-30T17:00-05:00&to=2026-07-31&timezone=Europe/Stockholm'],
  ])('rangeByDate accepts instants with an offset: %s', (query) => {
    expect(range(query)).toEqual(['2026-06-30T22:00:00.000Z', '2026-07-31T21:59:59.999Z']);
  });

  test.each(['0001-01-01', '1969-12-31', '9999-12-30', '9999-12-31'])(
    'rangeByDate accepts days far from all customers: %s',
    (day) => {
      const query = `from=${day}&to=9999-12-31&timezone=Europe/Stockholm`;
      expect(range(query)).toEqual([expect.any(String), expect.any(String)]);
    },
  );

  test('The filter !rangeByDate excludes both days', () => {
    const { filter } = read('filter=!rangeByDate&from=2026-01-31&to=2026-01-31');
    expect(filter?.created).toEqual([
      { from: 0, to: start('2026-01-31') - 1 },
      { from: start('2026-02-01'), to: Number.MAX_SAFE_INTEGER },
    ]);
  });
});

test.each<readonly [string, readonly { parameter: string; detail: string | RegExp }[]]>([
  ['filter=!', [{ parameter: 'filter', detail: /^names nothing, which is none of search,/ }]],
  ['filter=', [{ parameter: 'filter', detail: /^names nothing, which is none of search,/ }]],
  ['filter=isOdd', [{ parameter: 'filter', detail: /^names isOdd, which is none of search,/ }]],
  [
    'filter=searc',
    [{ parameter: 'filter', detail: 'names searc, which is no filter; did you mean `search`?' }],
  ],
  [
    'filter=isCompany,!iscompany',
    [{ parameter: 'filter', detail: /^names iscompany, .*; did you mean `isCompany`\?$/ }],
  ],
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
      { parameter: 'from', detail: /^must be a day that exists, as YYYY-MM-DD, or an instant/ },
      { parameter: 'to', detail: /^must be a day that exists, as YYYY-MM-DD, or an instant/ },
    ],
  ],
  ...['2026-07-01T00:00:00', '2026-02-30T00:00:00Z', '2026-07-01T25:00Z', '2026-07-01 00:00Z'].map(
    (from) =>
      [
        `filter=rangeByDate&from=${from}&to=2026-12-31`,
        [
          {
            parameter: 'from',
            detail: /an instant with its offset, as 2026-01-31T12:00:00\+01:00$/,
          },
        ],
      ] as const,
  ),
  ...['Stockholm', '%2B02:00', 'Europe', '', 'UTC%00'].map(
    (timezone) =>
      [
        `filter=rangeByDate&from=2026-01-01&to=2026-01-02&timezone=${timezone}`,
        [{ parameter: 'timezone', detail: /such as Europe\/Stockholm$/ }],
      ] as const,
  ),
  ['timezone=Europe/Stockholm', [{ parameter: 'timezone', detail: 'needs filter=rangeByDate' }]],
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

test('Look-ups need no filter, and are added to one', () => {
  expect(read('email=a&email=b&customerid=K').filter).toEqual({
    ...EVERYONE,
    lookUps: { customerid: ['K'], email: ['a', 'b'] },
  });
  expect(read('filter=isCompany&email=a').filter).toEqual({
    ...read('filter=isCompany').filter,
    lookUps: { email: ['a'] },
  });
  expect(isEveryone(read('email=a').filter ?? EVERYONE)).toBe(false);
});

test('Every filter is described with its parameters', () => {
  const texts = Object.values(filterDescriptions()).join(' ');
  for (const name of FILTER_NAMES) expect(texts).toContain(`${name}: `);
  const parameters = new Set(FILTER_NAMES.flatMap((name) => [...FILTERS[name].parameters]));
  expect(Object.keys(filterParameters)).toEqual(['filter', ...parameters, ...LOOK_UP_NAMES]);
});

function conditions(query: string) {
  const { condition } = read(query).filter ?? {};
  return condition && 'all' in condition ? condition.all : undefined;
}
