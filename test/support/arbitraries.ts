import fc from 'fast-check';
import { WRITABLE_FIELDS } from '../../shared/domain/fields.ts';
import { anyCharacter } from './any-character.ts';
import { iterations } from './iterations.ts';

/** Texts that break careless writers and readers of JSON, CSV, XML and keys. */
const HOSTILE = [
  ...'"\',;\r\n\t \u00a0\u2028\u0085\ufeff\u0301\u202e@＝<>&\\#',
  ...['\r\n', '""', '=cmd', '+46 70', '-1', ']]>', '<!--', '&amp;', '&#13;', '%00', '__proto__'],
  ...['åäö', 'ÅÄÖ', 'A\u030a', 'ß', '👩‍👩‍👧', '🇸🇪'],
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: characters that a field rejects
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd-\uffff]/;

const allowedCharacter = anyCharacter.filter((character) => !REFUSED.test(character));

/** Any text that a field accepts, often a hostile one; well below 255 characters. */
const texts = fc.string({
  unit: fc.oneof(fc.constantFrom(...HOSTILE), allowedCharacter),
  maxLength: 12,
});

/** All, some or none of the fields that a merchant writes. */
export const customers = fc.record(
  Object.fromEntries(
    WRITABLE_FIELDS.map(({ name, maxLength }) => {
      const longest = fc.constantFrom('å', '😀').map((character) => character.repeat(maxLength));
      return [name, fc.oneof({ weight: 99, arbitrary: texts }, { weight: 1, arbitrary: longest })];
    }),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string>>;

/** A customer with known kind and flags. */
export interface KnownCustomer {
  readonly texts: Readonly<Record<string, string>>;
  readonly kind: 'private' | 'company' | 'unknown';
  readonly eInvoice: boolean;
  readonly reverseTax: boolean;
}

const NAMES = [
  'Nisse Hult',
  'Hult  Nisse',
  'ÅKERS ÄPPELÖ AB',
  'A\u030akers A\u0308ppelo\u0308 ab',
  'Großmann & Söhne, GmbH',
  'GROẞMANN',
  'Ελένη Παΐζης',
  'İzmir Döner',
  'ﬁn ǆip',
  '100% a,b;c "d" !e',
  'Renée Lindén',
  'Bjørn Sæther, Ødegård',
  'Päivi Hämäläinen',
  'Łukasz Đurić',
  'Malmö–Lund, O’Brien',
];
const ADDRESSES = ['Ågatan 1', 'Storgatan 556703-7485', 'c/o\tHult', 'Box\u00a012', 'Väg 19 9001'];
const POSTCODES = ['123 45', '12345', '123\u00a045', 'SE-123 45', '0150', 'SW1A 1AA'];
/** Customer type codes, and the kind they say. */
const TYPES = [
  ['', undefined],
  ['Test-Customer type code', undefined],
  ['Privat', 'private'],
  ['PRIVATE', 'private'],
  [' b2c ', 'private'],
  ['company', 'company'],
  ['Företag', 'company'],
  ['Enskild firma', 'company'],
] as const;
/** Identity numbers, and the kind that they mean. */
const NUMBERS = [
  ['', 'unknown'],
  ['Test-Company no', 'unknown'],
  ['556703-7486', 'unknown'],
  ['19900118-9812', 'unknown'],
  ['19900231-1234', 'unknown'],
  ['556703748501', 'unknown'],
  ['SE 556703-7485 01', 'company'],
  ['SE556703748501', 'company'],
  ['556703 7485', 'company'],
  ['16556703–7485', 'company'],
  ['NO999990010MVA', 'company'],
  ['9999001-5', 'company'],
  ['19900118\u00a09811', 'private'],
  ['12 345-6', 'unknown'],
  ['556703-7485', 'company'],
  ['5567037485', 'company'],
  ['16556703-7485', 'company'],
  ['202100-5489', 'company'],
  ['19900118-9811', 'private'],
  ['900118-9811', 'private'],
  ['9001189811', 'private'],
  ['701063-2391', 'private'],
] as const;
/** Digits of numbers above, by each form in which they may be searched for. */
export const DIGITS_OF_FORMS: ReadonlyMap<string, string> = new Map(
  [
    ...['5567037485', '2021005489'].map((digits) => [digits, '16', 'SE', '01'] as const),
    ...['9001189811', '7010632391'].map((digits) => [digits, '19', 'SE', '01'] as const),
    ['999990010', '', 'NO', 'MVA'] as const,
    ['99990015', '', 'FI', ''] as const,
  ].flatMap(([digits, century, country, ending]) =>
    [
      `${century}${digits}`,
      `${country}${digits}`,
      `${country}${century}${digits}`,
      `${country}${digits}${ending}`,
      ...(country === 'NO' ? [`${digits}${ending}`] : []),
    ].map((form) => [form, digits] as const),
  ),
);
const TRUTHS = [
  ['', false],
  ['0', false],
  ['nej', false],
  ['Test-Reverse tax', false],
  ['1', true],
  ['true', true],
  ['YES', true],
  [' Ja ', true],
  ['on', true],
] as const;

const knownCustomers: fc.Arbitrary<KnownCustomer> = fc
  .record({
    name: fc.oneof(fc.constantFrom(...NAMES), texts),
    customerid: fc.oneof(fc.integer({ min: 1, max: 9_999_999 }).map(String), texts),
    address: fc.oneof(fc.constantFrom(...ADDRESSES), texts),
    postcode: fc.oneof(fc.constantFrom(...POSTCODES), texts),
    postoffice: fc.oneof(fc.constantFrom('', 'Hult', 'Östersund'), texts),
    number: fc.constantFrom(...NUMBERS),
    type: fc.oneof(fc.constant(TYPES[0]), fc.constantFrom(...TYPES)),
    party: fc.constantFrom('', 'p', '0'),
    byPost: fc.constantFrom(...TRUTHS),
    reverse: fc.constantFrom(...TRUTHS),
  })
  .map(({ number, type, party, byPost, reverse, ...searched }) => ({
    texts: {
      ...searched,
      companyno: number[0],
      customertypecode: type[0],
      crediflowPartyId: party,
      dontSendEFaktura: byPost[0],
      reversetax: reverse[0],
    },
    kind: type[1] ?? number[1],
    eInvoice: party !== '' && !byPost[1],
    reverseTax: reverse[1],
  }));

/** Diverse customers to search, equal in each run. */
export const KNOWN_CUSTOMERS: readonly KnownCustomer[] = fc.sample(knownCustomers, {
  numRuns: iterations({ short: 30, long: 60 }),
  seed: 1,
});

export const INVOICE_FORM_FIELDS = ['name', 'customerid', 'companyno'];
export const SEARCHED_FIELDS = [...INVOICE_FORM_FIELDS, 'address', 'postcode', 'postoffice'];

const SEARCHED_TEXTS = KNOWN_CUSTOMERS.flatMap((customer) =>
  SEARCHED_FIELDS.map((name) => customer.texts[name]).filter((text) => text !== undefined),
).filter(Boolean);
/** Variants of a customer's text that a search must find. */
const MANGLES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.replace(/(.)(.?)/gsu, (_, a, b) => a.toLowerCase() + b.toUpperCase()),
  (text) => text.normalize('NFC'),
  (text) => text.normalize('NFD'),
  (text) => text.replace(/\s/gu, ' \t'),
  (text) => text.replaceAll('-', ''),
  (text) => text.replace(/\d(?=\d{4}$)/, '$&-'),
  (text) => ` ${text}\u00a0`,
  (text) => text.replaceAll('-', '\u2011').replaceAll("'", '’'),
  (text) => text.replace(/\d(?=\d\d$)/, '$&\u2009'),
  (text) => text.normalize('NFD').replace(/(?<![AO])\u0301/giu, ''),
  (text) => text.replace(/^(?:16|19|SE)?(\d{6})-?(\d{4})(?:01)?$/, 'SE $1-$2 01'),
  (text) => text.replace(/^(\d{6})-(\d{4})$/, '16$1$2'),
  (text) => text.replace(/ø/giu, 'ö').replace(/æ/giu, 'ä'),
];

/** Whether a text has nothing to search for: it is refused. */
export function isBlank(text: string): boolean {
  return (
    text
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/gu, '')
      .replace(/\p{Cf}/gu, '')
      .trim() === ''
  );
}

const searchTexts = fc
  .record({
    text: fc.constantFrom(...SEARCHED_TEXTS),
    from: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
    mangle: fc.constantFrom(...MANGLES),
  })
  .map(({ text, from, length, mangle }) => {
    const characters = [...text];
    const start = from % characters.length;
    return mangle(characters.slice(start, start + length).join(''));
  })
  .filter((text) => !isBlank(text));

/** The parameters of the filters, by the filter that takes them. */
const PARAMETERS = {
  search: ['search'],
  searchInInvoiceForm: ['searchInInvoiceForm'],
  rangeByDate: ['from', 'to', 'timezone'],
  isPrivate: ['isPrivate'],
  isCompany: ['isCompany'],
  isUnknown: ['isUnknown'],
  isCustomerType: ['isPrivate', 'isCompany', 'isUnknown'],
  isEFaktura: ['isEFaktura'],
  isReverseTax: ['isReverseTax'],
  isTitle: ['isEFaktura', 'isReverseTax'],
} as const;

export type FilterName = keyof typeof PARAMETERS;

type FlagName = (typeof PARAMETERS)['isCustomerType' | 'isTitle'][number];

export interface FilterParameters extends Record<FlagName, '0' | '1' | undefined> {
  readonly search: readonly string[];
  readonly searchInInvoiceForm: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly timezone: string | undefined;
}

export interface FilterQuery {
  readonly filters: readonly { readonly name: FilterName; readonly inverted: boolean }[];
  readonly parameters: FilterParameters;
  /** Both of them, as a query string. */
  readonly query: string;
}

const DAY_MS = 86_400_000;
const day = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
const flag = fc.option(fc.constantFrom('0' as const, '1' as const), { nil: undefined });

/** Notations of a list parameter's name: plain, and PHP's two. */
const LIST_STYLES: readonly ((name: string, index: number) => string)[] = [
  (name) => name,
  (name) => `${name}[]`,
  (name, index) => `${name}[${index}]`,
];

type Pair = [name: string, value: string];

/** As PHP and HTML forms encode: brackets escaped, a space as `+`. */
const encodeAsForm = (pairs: Pair[]) => new URLSearchParams(pairs).toString();
/** As people write: literal brackets, a space as `%20`. */
const encodeByHand = (pairs: Pair[]) =>
  pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');

/** Any filters with any parameters, in any notation that the API accepts. */
export const filterQueries: fc.Arbitrary<FilterQuery> = fc
  .record({
    filters: fc.array(
      fc.record({
        name: fc.constantFrom(...(Object.keys(PARAMETERS) as FilterName[])),
        inverted: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    search: fc.array(searchTexts, { minLength: 1, maxLength: 3 }),
    searchInInvoiceForm: fc.array(searchTexts, { minLength: 1, maxLength: 3 }),
    from: fc.integer({ min: -2, max: 2 }),
    days: fc.nat({ max: 2 }),
    timezone: fc.constantFrom(undefined, 'Europe/Stockholm', 'Pacific/Kiritimati', 'Etc/GMT+12'),
    asInstants: fc.boolean(),
    flags: fc.record({
      isPrivate: flag,
      isCompany: flag,
      isUnknown: flag,
      isEFaktura: flag,
      isReverseTax: flag,
    }),
    commas: fc.boolean(),
    listStyle: fc.constantFrom(...LIST_STYLES),
    encode: fc.constantFrom(encodeAsForm, encodeByHand),
  })
  .map(({ filters, search, searchInInvoiceForm, from, days, flags, timezone, ...style }) => {
    const [first, last] = [day(from), day(from + days)];
    const dates = style.asInstants
      ? { from: `${first}T01:30:00+01:30`, to: `${last}T18:59:59.999-05:00` }
      : { from: first, to: last };
    const parameters = { search, searchInInvoiceForm, ...dates, timezone, ...flags };
    return { filters, parameters, query: toQuery(filters, parameters, style) };
  })
  // Filters that take several flags need one of them at least.
  .filter(({ filters, parameters }) =>
    filters.every(({ name }) => {
      const own = PARAMETERS[name];
      return own.length === 1 || own.some((parameter) => parameters[parameter] !== undefined);
    }),
  );

function toQuery(
  filters: FilterQuery['filters'],
  parameters: FilterParameters,
  style: {
    commas: boolean;
    listStyle: (name: string, index: number) => string;
    encode: (pairs: Pair[]) => string;
  },
): string {
  const list = (name: string, values: readonly string[]) =>
    values.map((value, index): Pair => [style.listStyle(name, index), value]);
  const names = filters.map(({ name, inverted }) => (inverted ? `!${name}` : name));
  const used = new Set(filters.flatMap(({ name }) => PARAMETERS[name]));
  const pairs = style.commas ? [['filter', names.join(',')] as Pair] : list('filter', names);
  for (const name of used) {
    const value = parameters[name];
    if (typeof value === 'object') pairs.push(...list(name, value));
    else if (value !== undefined) pairs.push([name, value]);
  }
  return style.encode(pairs);
}

/** A valid identity number in all its notations. */
export interface IdentityNumber {
  readonly kind: 'private' | 'company';
  readonly forms: readonly string[];
}

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: length, maxLength: length });

const organisations: fc.Arbitrary<IdentityNumber> = fc
  .tuple(fc.integer({ min: 10, max: 99 }), fc.integer({ min: 2, max: 9 }), digits(6))
  .map(([first, third, rest]) => {
    const number = withCheckDigit(`${first}${third}${rest}`);
    const hyphenated = withSign(number, '-');
    const forms = [number, hyphenated, `16${number}`, `16${hyphenated}`, `SE ${hyphenated}`];
    return { kind: 'company', forms: inTypedForms([...forms, `SE${number}01`]) };
  });

const persons: fc.Arbitrary<IdentityNumber> = fc
  .record({
    birth: fc.date({
      min: new Date('1890-01-01'),
      max: new Date(Date.now() - 2 * DAY_MS),
      noInvalidDate: true,
    }),
    serial: fc.integer({ min: 1, max: 999 }),
    coordination: fc.boolean(),
  })
  .map(({ birth, serial, coordination }) => {
    const [year = '', month = '', dayOfMonth = ''] = birth.toISOString().slice(0, 10).split('-');
    const dayDigits = coordination ? String(Number(dayOfMonth) + 60) : dayOfMonth;
    const serialDigits = String(serial).padStart(3, '0');
    const number = withCheckDigit(`${year.slice(2)}${month}${dayDigits}${serialDigits}`);
    const century = year.slice(0, 2);
    const long = [`${century}${number}`, `${century}${withSign(number, '-')}`];
    // From the year in which a person turns 100 the sign is +, and ten digits alone mean another person.
    const isOld = new Date().getUTCFullYear() - Number(year) >= 100;
    const short = isOld ? [withSign(number, '+')] : [withSign(number, '-'), number];
    return { kind: 'private', forms: inTypedForms([...long, ...short]) };
  });

export const identityNumbers = fc.oneof(organisations, persons);

/** Forms as they are, and as Word, Excel and people with their own habits write them. */
const inTypedForms = (forms: readonly string[]) =>
  forms.flatMap((form) => [
    form,
    form.replace('-', ' – '),
    form.replace('-', '\u2011'),
    `\u202d${form.replace('-', '\u2212')}\u202c `,
    form.replace(/\d\d/g, '$&\u00a0'),
  ]);

const withSign = (number: string, sign: string) => `${number.slice(0, 6)}${sign}${number.slice(6)}`;

/** Returns nine digits and their check digit (Luhn). */
function withCheckDigit(nine: string): string {
  const sums = [...nine].map((digit, index) => {
    const product = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return product > 9 ? product - 9 : product;
  });
  const sum = sums.reduce((a, b) => a + b, 0);
  return `${nine}${(10 - (sum % 10)) % 10}`;
}
