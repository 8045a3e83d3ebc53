import type { CustomerFields, SystemFields } from './customer.ts';
import { parseIdentityNumber } from './identity-number.ts';

/** Who a customer is. */
export type Kind = 'private' | 'company' | 'unknown';

/** What filters and look-ups compare, derived from a customer's fields. */
export interface SearchAttributes {
  /** Creation time in milliseconds since 1970. */
  readonly createdAt: number;
  /** Name, customerid and companyno, folded for search. */
  readonly nameText: string | undefined;
  /** Address, postcode and postoffice, folded for search. */
  readonly addressText: string | undefined;
  /** Digits of companyno, if it is a number written with hyphens or spaces. */
  readonly companyDigits: string | undefined;
  readonly kind: Kind;
  /** True for customers who receive e-invoices. */
  readonly eInvoice: true | undefined;
  /** True for customers with reverse tax. */
  readonly reverseTax: true | undefined;
  /** Valid company or personal number in canonical form. */
  readonly identityNumber: string | undefined;
}

/** Separates the folded fields of one search text; folding leaves none inside a field. */
const SEPARATOR = '\n';
/** Words of `customertypecode` that name the kind, folded. */
const KIND_WORDS: Readonly<Record<Exclude<Kind, 'unknown'>, readonly string[]>> = {
  private: ['PRIVATE', 'PRIVAT', 'PRIVATPERSON', 'PERSON', 'CONSUMER', 'KONSUMENT', 'B2C'],
  company: ['COMPANY', 'FÖRETAG', 'FORETAG', 'BUSINESS', 'ORGANISATION', 'ORGANIZATION', 'B2B'],
};
const TRUE_WORDS = ['1', 'TRUE', 'YES', 'JA', 'ON'];
const NUMBER_WITH_SEPARATORS = /^\d[\d\s+-]*$/;

/** Returns the attributes by which a customer is searched, filtered and looked up. */
export function toSearchAttributes(
  { date }: Pick<SystemFields, 'date'>,
  fields: CustomerFields,
): SearchAttributes {
  const { name, customerid, companyno, address, postcode, postoffice } = fields;
  const identityNumber = parseIdentityNumber(companyno ?? '');
  return {
    createdAt: Date.parse(date),
    nameText: searchText([name, customerid, companyno]),
    addressText: searchText([address, postcode, postoffice]),
    companyDigits: digitsOf(companyno ?? ''),
    kind: kindFromCode(fields.customertypecode) ?? identityNumber?.kind ?? 'unknown',
    eInvoice: (!!fields.crediflowPartyId && !isTrue(fields.dontSendEFaktura)) || undefined,
    reverseTax: isTrue(fields.reversetax) || undefined,
    identityNumber: identityNumber?.canonical,
  };
}

/**
 * Returns a text in the form in which texts are compared: upper case, which unlike lower case does
 * not depend on neighbouring characters, composed (NFC), and with each run of white space as one
 * space. Letters are decomposed (NFD) first, since some composed ones have no composed form in the
 * other case.
 */
export function fold(text: string): string {
  return text.normalize('NFD').toUpperCase().normalize('NFC').replace(/\s+/gu, ' ');
}

/** Returns the digits of a number that may be written with hyphens or spaces. */
export function digitsOf(text: string): string | undefined {
  const trimmed = text.trim();
  return NUMBER_WITH_SEPARATORS.test(trimmed) ? trimmed.replace(/\D/g, '') : undefined;
}

function kindFromCode(customertypecode = ''): Kind | undefined {
  const word = fold(customertypecode).trim();
  if (KIND_WORDS.private.includes(word)) return 'private';
  return KIND_WORDS.company.includes(word) ? 'company' : undefined;
}

function isTrue(text = ''): boolean {
  return TRUE_WORDS.includes(text.trim().toUpperCase());
}

function searchText(texts: readonly (string | undefined)[]): string | undefined {
  return texts.flatMap((text) => (text ? fold(text) : [])).join(SEPARATOR) || undefined;
}
