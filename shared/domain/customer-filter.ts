import { fold, withoutSeparators } from './fold.ts';
import { identityNumberForms } from './identity-number-forms.ts';
import type { IndexedAttributes, Kind } from './search-attributes.ts';
import { type DayOrInstant, firstMillisecond, lastMillisecond } from './time-zone.ts';

/** Attributes that conditions look at. */
export type SearchAttribute = Exclude<keyof IndexedAttributes, 'createdAt'>;
/** Those of them in which texts are searched. */
type TextAttribute = Exclude<SearchAttribute, 'kind' | 'eInvoice' | 'reverseTax'>;

/** A condition over a customer's search attributes. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly attribute: TextAttribute; readonly contains: string }
  | { readonly attribute: 'kind'; readonly equals: Kind }
  | { readonly attribute: SearchAttribute; readonly exists: true };

/** A range of creation times, in milliseconds since 1970, both ends included. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Parameters by whose values customers are looked up, in the order of the fields they compare. */
export const LOOK_UP_NAMES = [
  'customerid',
  'telephone',
  'email',
  'companyno',
  'vatregno',
  'glncode',
] as const;
export type LookUpName = (typeof LOOK_UP_NAMES)[number];

/** Values to look up, by parameter: a customer must have one of each list. */
export type LookUps = Readonly<Partial<Record<LookUpName, readonly string[]>>>;

/**
 * Which customers a call asks for: those created in one of the ranges that meet the condition and
 * have the values. It is plain JSON, so that a background job can be given one.
 */
export interface CustomerFilter {
  /** In ascending order, without overlap. */
  readonly created: readonly TimeRange[];
  readonly condition?: Condition;
  /** Not empty. */
  readonly lookUps?: LookUps;
}

/** Before and after every creation time. */
export const FIRST_TIME = 0;
export const LAST_TIME = Number.MAX_SAFE_INTEGER;

/** The filter that every customer meets. */
export const EVERYONE: CustomerFilter = { created: [{ from: FIRST_TIME, to: LAST_TIME }] };

/** The filter that no customer meets. */
const NOBODY: CustomerFilter = { created: [] };

/** Returns whether every customer meets the filter. */
export function isEveryone({
  created: [range, ...more],
  condition,
  lookUps,
}: CustomerFilter): boolean {
  const isWhole = more.length === 0 && range?.from === FIRST_TIME && range.to === LAST_TIME;
  return isWhole && !condition && !lookUps;
}

/** Values of the parameters that filters take. */
export interface FilterValues {
  /** Texts that must all occur. */
  readonly search?: readonly string[];
  readonly searchInInvoiceForm?: readonly string[];
  /** First day or instant; included. */
  readonly from?: DayOrInstant;
  /** Last day or instant; included. */
  readonly to?: DayOrInstant;
  /** IANA name of the time zone of days. Default: UTC. */
  readonly timezone?: string;
  readonly isPrivate?: boolean;
  readonly isCompany?: boolean;
  readonly isUnknown?: boolean;
  readonly isEFaktura?: boolean;
  readonly isReverseTax?: boolean;
}

/** A filter turns its parameters into a condition, or into ranges of creation time. */
export interface FilterDefinition {
  readonly parameters: readonly (keyof FilterValues)[];
  /** Which of the parameters must be given. */
  readonly requires: 'all' | 'one' | 'none';
  /** Parameters that need not be given, even if the filter requires all. */
  readonly optional?: readonly (keyof FilterValues)[];
  readonly condition?: (values: FilterValues) => Condition;
  readonly created?: (values: FilterValues, inverted: boolean) => readonly TimeRange[];
}

/** All filters, by the name that the parameter `filter` takes. */
export const FILTERS = {
  search: {
    parameters: ['search'],
    requires: 'all',
    condition: ({ search = [] }) => ({
      all: search.map((text) => ({ any: [...inName(text), ...inAddress(text)] })),
    }),
  },
  searchInInvoiceForm: {
    parameters: ['searchInInvoiceForm'],
    requires: 'all',
    condition: ({ searchInInvoiceForm = [] }) => ({
      all: searchInInvoiceForm.map((text) => ({ any: inName(text) })),
    }),
  },
  rangeByDate: {
    parameters: ['from', 'to', 'timezone'],
    requires: 'all',
    optional: ['timezone'],
    created: (values, inverted) => {
      const { from, to } = rangeOf(values);
      return inverted
        ? [
            { from: FIRST_TIME, to: from - 1 },
            { from: to + 1, to: LAST_TIME },
          ]
        : [{ from, to }];
    },
  },
  isPrivate: flag('isPrivate', isKind('private')),
  isCompany: flag('isCompany', isKind('company')),
  isUnknown: flag('isUnknown', isKind('unknown')),
  isCustomerType: anyFlag({
    isPrivate: isKind('private'),
    isCompany: isKind('company'),
    isUnknown: isKind('unknown'),
  }),
  isEFaktura: flag('isEFaktura', exists('eInvoice')),
  isReverseTax: flag('isReverseTax', exists('reverseTax')),
  isTitle: anyFlag({ isEFaktura: exists('eInvoice'), isReverseTax: exists('reverseTax') }),
} satisfies Record<string, FilterDefinition>;

export type FilterName = keyof typeof FILTERS;
/** Name of a filter; `!` inverts it. */
export type FilterTerm = FilterName | `!${FilterName}`;

/** Names of all filters. */
export const FILTER_NAMES = Object.keys(FILTERS) as FilterName[];

/** Returns the filter that a term names. */
export function filterOf(term: FilterTerm): { definition: FilterDefinition; inverted: boolean } {
  const inverted = term.startsWith('!');
  return { definition: FILTERS[(inverted ? term.slice(1) : term) as FilterName], inverted };
}

/**
 * Returns the filter that all of the terms make together.
 *
 * @param values of the parameters; those that the terms require are there.
 */
export function toCustomerFilter(
  terms: readonly FilterTerm[],
  values: FilterValues,
): CustomerFilter {
  // Nobody meets a filter and its inverse, and the expression of both could be too long.
  if (terms.some((term) => terms.includes(`!${term}` as FilterTerm))) return NOBODY;
  const conditions: Condition[] = [];
  let { created } = EVERYONE;
  for (const { definition, inverted } of terms.map(filterOf)) {
    if (definition.created) created = intersect(created, definition.created(values, inverted));
    const condition = definition.condition?.(values);
    if (condition) conditions.push(inverted ? { not: condition } : condition);
  }
  return conditions.length > 0 ? { created, condition: { all: conditions } } : { created };
}

/** Returns whether a customer with these attributes meets condition and ranges; look-ups are not compared. */
export function meetsFilter(
  { created, condition }: CustomerFilter,
  attributes: IndexedAttributes,
): boolean {
  const { createdAt } = attributes;
  return (
    created.some(({ from, to }) => from <= createdAt && createdAt <= to) &&
    (!condition || meets(condition, attributes))
  );
}

/** The same as DynamoDB's expression of the condition, in code. */
function meets(condition: Condition, attributes: IndexedAttributes): boolean {
  if ('all' in condition) return condition.all.every((part) => meets(part, attributes));
  if ('any' in condition) return condition.any.some((part) => meets(part, attributes));
  if ('not' in condition) return !meets(condition.not, attributes);
  const value = attributes[condition.attribute];
  if ('exists' in condition) return value !== undefined;
  if ('equals' in condition) return value === condition.equals;
  return typeof value === 'string' && value.includes(condition.contains);
}

/** Returns the conditions that a text occurs in name or customerid, or in companyno. */
function inName(text: string): Condition[] {
  const number = identityNumberForms(text)[0]?.digits ?? withoutSeparators(fold(text));
  return [...contains('nameText', fold(text)), ...contains('companyText', number)];
}

/** Returns the conditions that a text occurs in address or postoffice, or in postcode. */
function inAddress(text: string): Condition[] {
  const postcode = withoutSeparators(fold(text));
  return [...contains('addressText', fold(text)), ...contains('postcodeText', postcode)];
}

/** Returns the condition that an attribute contains a text; none for a text that all contain. */
function contains(attribute: TextAttribute, text: string): Condition[] {
  return text ? [{ attribute, contains: text }] : [];
}

/** Returns the range of creation time between two days or instants, both included. */
export function rangeOf({ from, to, timezone = 'UTC' }: FilterValues): TimeRange {
  return {
    from: from ? firstMillisecond(from, timezone) : FIRST_TIME,
    to: to ? lastMillisecond(to, timezone) : LAST_TIME,
  };
}

/** Names of the parameters that are true or false. */
type FlagName = {
  [K in keyof FilterValues]-?: FilterValues[K] extends boolean | undefined ? K : never;
}[keyof FilterValues];

function flag(parameter: FlagName, condition: Condition): FilterDefinition {
  return {
    parameters: [parameter],
    requires: 'none',
    condition: (values) => ((values[parameter] ?? true) ? condition : { not: condition }),
  };
}

function anyFlag(conditions: Readonly<Partial<Record<FlagName, Condition>>>): FilterDefinition {
  const parameters = Object.keys(conditions) as FlagName[];
  return {
    parameters,
    requires: 'one',
    condition: (values) => ({
      any: parameters.flatMap((parameter) => (values[parameter] && conditions[parameter]) || []),
    }),
  };
}

function isKind(kind: Kind): Condition {
  return { attribute: 'kind', equals: kind };
}

function exists(attribute: SearchAttribute): Condition {
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
