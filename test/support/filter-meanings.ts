import {
  DIGITS_OF_FORMS,
  type FilterName,
  type FilterParameters,
  INVOICE_FORM_FIELDS,
  type KnownCustomer,
  SEARCHED_FIELDS,
} from './arbitraries.ts';
import type { Row } from './export-files.ts';

/** A customer of whom it is known what filters compare. */
export type DatedCustomer = KnownCustomer & { readonly date: string };

/** The reference implementation: whether filters select a customer. */
export function selects(
  filters: readonly { readonly name: FilterName; readonly inverted: boolean }[],
  parameters: FilterParameters,
  customer: DatedCustomer,
): boolean {
  return filters.every(({ name, inverted }) => MEANINGS[name](customer, parameters) !== inverted);
}

/** Whether a filter selects a customer. */
const MEANINGS: Record<FilterName, (customer: DatedCustomer, given: FilterParameters) => boolean> =
  {
    search: ({ texts }, { search }) => search.every((text) => occurs(text, texts, SEARCHED_FIELDS)),
    searchInInvoiceForm: ({ texts }, { searchInInvoiceForm }) =>
      searchInInvoiceForm.every((text) => occurs(text, texts, INVOICE_FORM_FIELDS)),
    rangeByDate: ({ date }, { from, to, timezone = 'UTC' }) => {
      const [time, first, last] = [date, from, to].map((text) => Date.parse(text)) as [
        ...[number, number, number],
      ];
      if (from.includes('T')) return first <= time && time <= last;
      const day = new Date(time).toLocaleDateString('sv-SE', { timeZone: timezone });
      return from <= day && day <= to;
    },
    isPrivate: ({ kind }, { isPrivate = '1' }) => (kind === 'private') === (isPrivate === '1'),
    isCompany: ({ kind }, { isCompany = '1' }) => (kind === 'company') === (isCompany === '1'),
    isUnknown: ({ kind }, { isUnknown = '1' }) => (kind === 'unknown') === (isUnknown === '1'),
    isCustomerType: ({ kind }, { isPrivate, isCompany, isUnknown }) =>
      ({ private: isPrivate, company: isCompany, unknown: isUnknown })[kind] === '1',
    isEFaktura: ({ eInvoice }, { isEFaktura = '1' }) => eInvoice === (isEFaktura === '1'),
    isReverseTax: ({ reverseTax }, { isReverseTax = '1' }) => reverseTax === (isReverseTax === '1'),
    isTitle: ({ eInvoice, reverseTax }, { isEFaktura, isReverseTax }) =>
      (eInvoice && isEFaktura === '1') || (reverseTax && isReverseTax === '1'),
  };

/**
 * Whether a text occurs in one of the fields, however it is written; in a number or a postcode,
 * however it is grouped; and in the number of a company or a person, in whatever form.
 */
function occurs(text: string, texts: Row, fields: readonly string[]): boolean {
  return fields.some((name) => {
    const value = plain(texts[name] ?? '');
    if (!UNGROUPED.includes(name)) return value.includes(plain(text));
    const ungrouped = withoutGroups(plain(text));
    const wanted = (name === 'companyno' && DIGITS_OF_FORMS.get(ungrouped)) || ungrouped;
    return wanted !== '' && withoutGroups(value).includes(wanted);
  });
}

/** Fields with a number, in which spaces and signs are no part of it. */
const UNGROUPED = ['postcode', 'companyno'];

const withoutGroups = (text: string) => text.split(/[- +]/).join('');

/** Letters that are compared as others, and characters that a keyboard has as others. */
const SAME: Readonly<Record<string, string>> = {
  ...{ Æ: 'Ä', Ø: 'Ö', Œ: 'OE', Ð: 'D', Đ: 'D', Ħ: 'H', Ł: 'L', Þ: 'TH' },
  ...{ '‘': "'", '’': "'", ʼ: "'", '´': "'", '`': "'", '−': '-' },
};

/** A text without what search passes over: lower case first, as some letters have two capitals. */
function plain(text: string): string {
  const letters = text.normalize('NFD').toLowerCase().toUpperCase().normalize('NFD');
  let without = '';
  let isMarked = false;
  for (const character of letters) {
    const isMark = character >= '\u0300' && character <= '\u036f';
    const letter = `${without.at(-1) ?? ''}${character}`.normalize('NFC');
    if (!isMark) without += character;
    // Only a mark that follows its letter at once makes another letter of it.
    else if (!isMarked && ['Å', 'Ä', 'Ö', 'Й'].includes(letter)) {
      without = without.slice(0, -1) + letter;
    }
    isMarked = isMark;
  }
  return [...without.normalize('NFC')]
    .map((character) => SAME[character] ?? character)
    .filter((character) => !/\p{Cf}/u.test(character))
    .map((character) => (/\p{Pd}/u.test(character) ? '-' : character))
    .join('')
    .split(/\s+/u)
    .filter(Boolean)
    .join(' ');
}
