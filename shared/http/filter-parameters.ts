import * as v from 'valibot';
import {
  type CustomerFilter,
  FILTER_NAMES,
  FILTERS,
  type FilterTerm,
  type FilterValues,
  filterOf,
  LOOK_UP_NAMES,
  type LookUpName,
  type LookUps,
  rangeOf,
  toCustomerFilter,
} from '../domain/customer-filter.ts';
import { hasAtMost } from '../domain/field-text.ts';
import { fold } from '../domain/fold.ts';
import { MAX_LOOK_UP_VALUES, MAX_SEARCH_LENGTH, MAX_SEARCH_TEXTS } from '../domain/limits.ts';
import { type DayOrInstant, isTimeZone } from '../domain/time-zone.ts';
import type { ParameterDescription } from './contract.ts';
import type { Fault } from './problem-details.ts';
import {
  checked,
  commaSeparated,
  elementsCheck,
  oneOf,
  type ParameterValues,
  repeated,
  type SentNames,
  single,
  suggestion,
} from './validation.ts';

const TERMS = FILTER_NAMES.flatMap((name): FilterTerm[] => [name, `!${name}`]);

/** Parameters that look customers up by the value of a field. */
const lookUpParameters = {
  customerid: repeated(() => lookUpValues(NOT_BLANK)),
  telephone: repeated(() => lookUpValues(WITH_DIGIT)),
  email: repeated(() => lookUpValues(NOT_BLANK)),
  companyno: repeated(() => lookUpValues(WITH_WORD)),
  vatregno: repeated(() => lookUpValues(WITH_WORD)),
  glncode: repeated(() => lookUpValues(WITH_DIGIT)),
} satisfies Record<LookUpName, unknown>;

/** Query parameters that choose customers, of the list, the count and the exports. */
export const filterParameters = {
  filter: commaSeparated(() =>
    v.pipe(
      v.array(v.string()),
      v.transform((terms) => [...new Set(terms)]),
      elementsCheck(filterTerm()),
      v.array(filterTerm()),
      v.minLength(1),
    ),
  ),
  search: repeated(searchTexts),
  searchInInvoiceForm: repeated(searchTexts),
  from: single(dayOrInstant),
  to: single(dayOrInstant),
  timezone: single(timezone),
  isPrivate: single(flag),
  isCompany: single(flag),
  isUnknown: single(flag),
  isEFaktura: single(flag),
  isReverseTax: single(flag),
  ...lookUpParameters,
};

/** Values of {@link filterParameters}. */
type FilterQuery = ParameterValues<typeof filterParameters>;

/** Descriptions and examples of {@link filterParameters} for the OpenAPI document. */
export const filterDescriptions = () => {
  const meanings: Readonly<Record<keyof typeof FILTERS, string>> = {
    search:
      'every given text occurs in name, customerid, address, postcode, postoffice or companyno. ' +
      'Case, accents and white space around a text make no difference, except that å, ä and ö are ' +
      'letters of their own (ø is compared as ö, æ as ä); spaces and dashes make none in postcode ' +
      'and companyno, and a number is found in its other forms, such as a VAT number',
    searchInInvoiceForm: 'the same in name, customerid or companyno alone',
    rangeByDate:
      'created from one day (YYYY-MM-DD) or instant (2026-01-31T12:00:00+01:00) to another, both ' +
      'included',
    isPrivate: 'private persons, or with 0 all others',
    isCompany: 'companies, or with 0 all others',
    isUnknown: 'customers of unknown kind, or with 0 all others',
    isCustomerType: 'customers of any kind that is set to 1',
    isEFaktura: 'customers set up for e-invoice, or with 0 all others',
    isReverseTax: 'customers with reverse tax, or with 0 all others',
    isTitle: 'customers of any title that is set to 1',
  };
  const lookUp = (meaning: string) =>
    `Customers whose ${meaning}. May be repeated, up to ${MAX_LOOK_UP_VALUES} times, for customers with ` +
    'any of the values. Customers must also meet the other parameters.';
  const ofParameter = (parameter: keyof FilterValues) =>
    `For ${filtersWith(parameter)
      .map((name) => `${name}: ${meanings[name]}.`)
      .join(' ')}`;
  return {
    filter: [
      'Filters that must all be met; `!` inverts one. May also be repeated. An empty name is an ' +
        'error: it would select every customer.',
      ['isCompany', '!isEFaktura'],
    ],
    search: [ofParameter('search'), ['björklund', 'stockholm']],
    searchInInvoiceForm: [ofParameter('searchInInvoiceForm'), ['10301']],
    from: [ofParameter('from'), '2026-07-01'],
    to: [ofParameter('to'), '2026-07-31'],
    timezone: [
      'For rangeByDate: IANA name of the time zone of the days, such as Europe/Stockholm. Default: UTC.',
      'Europe/Stockholm',
    ],
    isPrivate: [ofParameter('isPrivate'), '1'],
    isCompany: [ofParameter('isCompany'), '1'],
    isUnknown: [ofParameter('isUnknown'), '1'],
    isEFaktura: [ofParameter('isEFaktura'), '1'],
    isReverseTax: [ofParameter('isReverseTax'), '1'],
    customerid: [
      lookUp('customerid is this; case matters, white space around it does not'),
      ['10301'],
    ],
    telephone: [
      lookUp(
        'telephone or mobile has this as its first number. Grouping makes no difference, nor whether ' +
          'a Swedish number has its country code; numbers of other countries have it',
      ),
      ['+46 70-174 06 05'],
    ],
    email: [lookUp('email is this, whatever its case'), ['faktura@glantans-bageri.example']],
    companyno: [lookUp('companyno is this, in any form of an identity number'), ['556703-7485']],
    vatregno: [
      lookUp('vatregno is this, whatever its case; spaces, dots and dashes do not matter'),
      ['SE556703748501'],
    ],
    glncode: [lookUp('glncode has these digits'), ['7300009055008']],
  } satisfies Record<keyof typeof filterParameters, ParameterDescription>;
};

/**
 * Rule of requests with filters: each filter has the parameters it requires, and each parameter has
 * a filter. A parameter without its filter would be ignored, and every customer be returned.
 */
export function filterRule(
  { queryStringParameters: query }: { readonly queryStringParameters: FilterQuery },
  sent: SentNames,
): readonly Fault[] {
  const faults: Fault[] = [];
  const { filter = [], from, to } = query;
  // An invalid list of filters is reported as such, and says nothing about the parameters.
  if (sent.has('filter') && !query.filter) return faults;
  const used = new Set(filter.flatMap((term) => filterOf(term).definition.parameters));
  for (const parameter of Object.keys(filterParameters) as (keyof typeof filterParameters)[]) {
    if (parameter === 'filter' || isLookUp(parameter)) continue;
    if (!sent.has(parameter) || used.has(parameter)) continue;
    const detail = `needs filter=${filtersWith(parameter).join(' or filter=')}`;
    faults.push({ parameter, detail });
  }
  for (const term of filter) {
    const { definition, name } = { ...filterOf(term), name: term.replace('!', '') };
    const missing = definition.parameters.filter(
      (parameter) => !sent.has(parameter) && !definition.optional?.includes(parameter),
    );
    if (definition.requires === 'all') {
      for (const parameter of missing) {
        faults.push({ parameter, detail: `is missing; filter ${name} needs it` });
      }
    }
    if (definition.requires === 'one' && missing.length === definition.parameters.length) {
      const [parameter = ''] = missing;
      faults.push({ parameter, detail: `is missing; give one of ${missing.join(', ')}` });
    }
  }
  if (from && to && used.has('from')) {
    const range = rangeOf(query);
    const detail = `is ${from.text}, which is after to, ${to.text}`;
    if (range.from > range.to) faults.push({ parameter: 'from', detail });
  }
  return faults;
}

/** Returns the filter of a query that met {@link filterRule}. */
export function filterOfQuery({ filter = [], ...values }: FilterQuery): CustomerFilter {
  const lookUps: LookUps = Object.fromEntries(
    LOOK_UP_NAMES.flatMap((name) => (values[name] ? [[name, values[name]]] : [])),
  );
  const chosen = toCustomerFilter(filter, values);
  return Object.keys(lookUps).length > 0 ? { ...chosen, lookUps } : chosen;
}

function isLookUp(parameter: string): parameter is LookUpName {
  return (LOOK_UP_NAMES as readonly string[]).includes(parameter);
}

/** Returns the names of the filters that take a parameter. */
function filtersWith(parameter: keyof FilterValues) {
  return FILTER_NAMES.filter((name) =>
    (FILTERS[name].parameters as readonly string[]).includes(parameter),
  );
}

function filterTerm() {
  return v.picklist(TERMS, ({ input }) => unknownFilter(String(input)));
}

function unknownFilter(term: string): string {
  const name = term.replace(/^!/, '');
  const similar = suggestion(name, FILTER_NAMES);
  if (similar) return `names ${name}, which is no filter; ${similar}`;
  return `names ${name || 'nothing'}, which is none of ${FILTER_NAMES.join(', ')}`;
}

/** What a text must have so that something of it can be compared. */
const NOT_BLANK = { has: /\S/, message: 'must not be blank' };
const WITH_DIGIT = { has: /[0-9]/, message: 'must have a digit' };
const WITH_WORD = { has: /[^\s.+-]/, message: 'must have a letter or a digit' };

function lookUpValues(rule: typeof NOT_BLANK) {
  return texts(MAX_LOOK_UP_VALUES, () =>
    boundedText(rule.has.source, rule.message, (text) => rule.has.test(text)),
  );
}

function searchTexts() {
  return texts(MAX_SEARCH_TEXTS, () =>
    boundedText('\\S', 'must not be blank', (text) => fold(text) !== ''),
  );
}

/** Schema of a list of at most `max` texts. */
function texts(max: number, element: () => v.GenericSchema<string, string>) {
  const tooMany = `may be given at most ${max} times`;
  return v.pipe(
    v.array(v.string()),
    elementsCheck(element(), (length) => (length > max ? tooMany : undefined)),
    v.array(element()),
    // For the document.
    v.maxLength(max, tooMany),
  );
}

/** Schema of a text that meets a requirement, and is no longer than a field. */
function boundedText(pattern: string, message: string, meets: (text: string) => boolean) {
  return v.pipe(
    v.string(),
    checked(meets, message, { pattern }),
    checked(
      (text) => hasAtMost(MAX_SEARCH_LENGTH, text),
      `must have at most ${MAX_SEARCH_LENGTH} characters`,
      { maxLength: MAX_SEARCH_LENGTH },
    ),
  );
}

/** Schema of a day, or of an instant with its offset from UTC. */
function dayOrInstant() {
  const message =
    'must be a day that exists, as YYYY-MM-DD, or an instant with its offset, as ' +
    '2026-01-31T12:00:00+01:00';
  return v.pipe(
    v.string(),
    v.transform((text) => ({ text, ...parseDayOrInstant(text) })),
    v.custom<DayOrInstant>(
      (parsed) => Object.values(parsed as object).every((part) => !Number.isNaN(part)),
      message,
    ),
    // A choice of two formats would be a class of its own in generated clients.
    checked(() => true, message, { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}' }),
  );
}

/** A space stands for `+`, which means a space if it is not percent-encoded in a query. */
const INSTANT = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+ -]\d\d:\d\d))?$/i;

/** Returns the day or the instant; not a number if it does not exist. */
function parseDayOrInstant(text: string): { day: number } | { instant: number } {
  const [, date = '', time] = INSTANT.exec(text) ?? [];
  const day = Date.parse(`${date}T00:00:00Z`);
  // A day that does not exist is either no date at all or rolls over into the next month.
  const exists = !Number.isNaN(day) && new Date(day).toISOString().startsWith(date);
  if (!exists) return { day: Number.NaN };
  return time ? { instant: Date.parse(text.replace(' ', '+').toUpperCase()) } : { day };
}

function timezone() {
  return v.pipe(
    v.string(),
    checked(isTimeZone, 'must be a time zone of the IANA database, such as Europe/Stockholm', {
      pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$',
      maxLength: 64,
    }),
  );
}

function flag() {
  return v.pipe(
    oneOf(['0', '1']),
    v.transform((digit) => digit === '1'),
  );
}
