import { badParameter } from '../http/problem-details.ts';
import type { Query } from '../http/query.ts';
import { DERIVED } from '../storage/table.ts';
import { MAX_SEARCH_LENGTH, MAX_SEARCH_TEXTS } from './limits.ts';
import { digitsOf, fold, type Kind, kindLetter } from './search-attributes.ts';

/** A condition over a customer's derived attributes. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly attribute: string; readonly contains: string }
  | { readonly attribute: string; readonly equals: string }
  | { readonly attribute: string; readonly exists: true };

/** A stretch of creation times, in milliseconds since 1970; both ends included. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Which customers a call asks for: those created in one of the stretches that meet the condition. */
export interface Selection {
  /** When they were created; in ascending order, without overlap. */
  readonly created: readonly TimeRange[];
  readonly condition?: Condition;
}

/** Before and after every creation time. */
export const FIRST_TIME = 0;
export const LAST_TIME = Number.MAX_SAFE_INTEGER;
const DAY_MS = 24 * 60 * 60 * 1_000;
const AT_ANY_TIME: readonly TimeRange[] = [{ from: FIRST_TIME, to: LAST_TIME }];

/** Whether a selection leaves nobody out. */
export function isEveryone({ created, condition }: Selection): boolean {
  return !condition && created === AT_ANY_TIME;
}

/** A filter reads its parameters into a condition, or into stretches of creation time. */
interface FilterDefinition {
  readonly parameters: readonly string[];
  readonly meaning: string;
  readonly condition?: (query: Query) => Condition;
  readonly created?: (query: Query, inverted: boolean) => TimeRange[];
}

/** All filters, by the name that `filter` takes. */
export const FILTERS: Readonly<Record<string, FilterDefinition>> = {
  search: {
    parameters: ['search'],
    meaning:
      'every given text occurs in name, customerid, address, postcode, postoffice or companyno',
    condition: (query) => search(query, 'search', [DERIVED.nameText, DERIVED.addressText]),
  },
  searchInInvoiceForm: {
    parameters: ['searchInInvoiceForm'],
    meaning: 'every given text occurs in name, customerid or companyno',
    condition: (query) => search(query, 'searchInInvoiceForm', [DERIVED.nameText]),
  },
  rangeByDate: {
    parameters: ['from', 'to'],
    meaning: 'created from one day to another (YYYY-MM-DD, UTC), both included',
    created: dateRanges,
  },
  isPrivate: flag('isPrivate', 'private persons', isKind('private')),
  isCompany: flag('isCompany', 'companies', isKind('company')),
  isUnknown: flag('isUnknown', 'customers of unknown kind', isKind('unknown')),
  isCustomerType: anyFlag('customers of any kind that is set to 1', {
    isPrivate: isKind('private'),
    isCompany: isKind('company'),
    isUnknown: isKind('unknown'),
  }),
  isEFaktura: flag('isEFaktura', 'customers set up for e-invoice', has(DERIVED.eInvoice)),
  isReverseTax: flag('isReverseTax', 'customers with reverse tax', has(DERIVED.reverseTaxed)),
  isTitle: anyFlag('customers of any title that is set to 1', {
    isEFaktura: has(DERIVED.eInvoice),
    isReverseTax: has(DERIVED.reverseTaxed),
  }),
};

/** Names of every parameter that filters take, `filter` itself included. */
export const FILTER_PARAMETERS: readonly string[] = [
  ...new Set(['filter', ...Object.values(FILTERS).flatMap(({ parameters }) => parameters)]),
];

/**
 * Reads the filters of a query: `filter` names them, separated by commas or repeated, `!` inverts
 * one, and all of them must be met.
 *
 * @throws Problem 400 for an unknown filter, a filter without its parameters, a parameter whose
 * filter is not named, and values that mean nothing.
 */
export function parseFilters(query: Query): Selection {
  const names = query
    .all('filter')
    .flatMap((text) => text.split(','))
    .map((name) => name.trim());
  // A filter named twice means the same as once, and an expression has its limits.
  const filters = [...new Set(names)].filter(Boolean).map(parseFilterName);
  checkUsed(
    query,
    filters.map(({ name }) => name),
  );
  const conditions: Condition[] = [];
  let created = AT_ANY_TIME;
  for (const { definition, inverted } of filters) {
    if (definition.created) created = intersect(created, definition.created(query, inverted));
    const condition = definition.condition?.(query);
    if (condition) conditions.push(inverted ? { not: condition } : condition);
  }
  return conditions.length > 0 ? { created, condition: { all: conditions } } : { created };
}

function parseFilterName(text: string) {
  const inverted = text.startsWith('!');
  const name = inverted ? text.slice(1) : text;
  const definition = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (!definition) {
    throw badParameter(
      'filter',
      `names ${name || 'nothing'}, which is none of ${Object.keys(FILTERS).join(', ')}`,
    );
  }
  return { name, definition, inverted };
}

/** A parameter without its filter would be passed over silently, and everyone be answered. */
function checkUsed(query: Query, names: readonly string[]): void {
  const used = names.flatMap((name) => FILTERS[name]?.parameters ?? []);
  for (const parameter of FILTER_PARAMETERS) {
    if (parameter === 'filter' || !query.has(parameter) || used.includes(parameter)) continue;
    const takers = Object.keys(FILTERS).filter((name) =>
      FILTERS[name]?.parameters.includes(parameter),
    );
    throw badParameter(parameter, `needs filter=${takers.join(' or filter=')}`);
  }
}

function search(query: Query, parameter: string, attributes: readonly string[]): Condition {
  const texts = query.all(parameter);
  if (texts.length === 0) throw badParameter(parameter, `is missing; filter ${parameter} needs it`);
  if (texts.length > MAX_SEARCH_TEXTS) {
    throw badParameter(parameter, `may be given at most ${MAX_SEARCH_TEXTS} times`);
  }
  return {
    all: texts.map((text) => {
      if (text === '') throw badParameter(parameter, 'must not be empty');
      if ([...text].length > MAX_SEARCH_LENGTH) {
        throw badParameter(parameter, `must have at most ${MAX_SEARCH_LENGTH} characters`);
      }
      const digits = digitsOf(text);
      return {
        any: [
          ...attributes.map((attribute) => ({ attribute, contains: fold(text) })),
          ...(digits ? [{ attribute: DERIVED.companyDigits, contains: digits }] : []),
        ],
      };
    }),
  };
}

function dateRanges(query: Query, inverted: boolean): TimeRange[] {
  const from = startOfDay(query, 'from');
  const to = startOfDay(query, 'to') + DAY_MS - 1;
  if (from > to) {
    throw badParameter('from', `is ${query.one('from')}, which is after to, ${query.one('to')}`);
  }
  return inverted
    ? [
        { from: FIRST_TIME, to: from - 1 },
        { from: to + 1, to: LAST_TIME },
      ]
    : [{ from, to }];
}

function startOfDay(query: Query, parameter: string): number {
  const text = query.one(parameter);
  if (text === undefined) throw badParameter(parameter, 'is missing; filter rangeByDate needs it');
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  // A day that does not exist is either no date at all or rolls over into the next month.
  if (!date || Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text)) {
    throw badParameter(parameter, 'must be a date that exists, as YYYY-MM-DD');
  }
  return date.getTime();
}

function flag(parameter: string, who: string, condition: Condition): FilterDefinition {
  return {
    parameters: [parameter],
    meaning: `${who}, or with 0 all others`,
    condition: (query) => (isSet(query, parameter, '1') ? condition : { not: condition }),
  };
}

function anyFlag(
  meaning: string,
  conditions: Readonly<Record<string, Condition>>,
): FilterDefinition {
  const parameters = Object.keys(conditions);
  return {
    parameters,
    meaning,
    condition: (query) => {
      if (!parameters.some((parameter) => query.has(parameter))) {
        throw badParameter(
          parameters[0] as string,
          `is missing; give one of ${parameters.join(', ')}`,
        );
      }
      const wanted = Object.entries(conditions).filter(([parameter]) =>
        isSet(query, parameter, '0'),
      );
      return { any: wanted.map(([, condition]) => condition) };
    },
  };
}

function isSet(query: Query, parameter: string, unlessGiven: '0' | '1'): boolean {
  return (query.word(parameter, ['0', '1']) ?? unlessGiven) === '1';
}

function isKind(kind: Kind): Condition {
  return { attribute: DERIVED.kind, equals: kindLetter(kind) };
}

function has(attribute: string): Condition {
  return { attribute, exists: true };
}

function intersect(left: readonly TimeRange[], right: readonly TimeRange[]): TimeRange[] {
  return left.flatMap((a) =>
    right.flatMap((b) => {
      const from = a.from > b.from ? a.from : b.from;
      const to = a.to < b.to ? a.to : b.to;
      return from <= to ? [{ from, to }] : [];
    }),
  );
}
