import type { CustomerFields, SystemFields } from './customer.ts';
import { fold, withoutSeparators } from './fold.ts';
import { type IdentityNumber, parseIdentityNumber } from './identity-number.ts';

/** Who a customer is. */
export type Kind = 'private' | 'company' | 'unknown';

/** What filters and look-ups compare, derived from a customer's fields. */
export interface SearchAttributes {
  /** Creation time in milliseconds since 1970. */
  readonly createdAt: number;
  /** Name and customerid, folded for search; {@link nameOf} and {@link customeridOf} take it apart. */
  readonly nameText: string | undefined;
  /** Address and postoffice, folded for search. */
  readonly addressText: string | undefined;
  /** Postcode, folded and without separators. */
  readonly postcodeText: string | undefined;
  /** Companyno, folded and without separators. */
  readonly companyText: string | undefined;
  readonly kind: Kind;
  /** True for customers who receive e-invoices. */
  readonly eInvoice: true | undefined;
  /** True for customers with reverse tax. */
  readonly reverseTax: true | undefined;
  /** Valid company or personal number in canonical form. */
  readonly identityNumber: string | undefined;
}

/** The attributes that the customer index has. */
export type IndexedAttributes = Omit<SearchAttributes, 'identityNumber'>;

/** Separates the folded fields of one search text; folding leaves none inside a field. */
const SEPARATOR = '\n';
/** Words of `customertypecode` that name the kind, folded. */
const KIND_WORDS: Readonly<Record<Exclude<Kind, 'unknown'>, readonly string[]>> = {
  private: [
    ...[
      'PRIVATE',
      'PRIVAT',
      'PRIVATPERSON',
      'PRIVATKUND',
      'PERSON',
      'CONSUMER',
      'KONSUMENT',
      'B2C',
    ],
    ...['PRIVATE PERSON', 'HENKILÖ'],
  ],
  company: [
    ...['COMPANY', 'FÖRETAG', 'FORETAG', 'FÖRETAGSKUND', 'FIRMA', 'BUSINESS', 'B2B', 'YRITYS'],
    ...['ORGANISATION', 'ORGANIZATION', 'ENSKILD FIRMA', 'ENSKILD NÄRINGSIDKARE', 'SOLE TRADER'],
    ...['FORETAK', 'BEDRIFT', 'VIRKSOMHED', 'ENKELTPERSONFORETAK', 'ENKELTPERSONFORETAG'],
  ],
};
const TRUE_WORDS = ['1', 'TRUE', 'YES', 'JA', 'ON'];

/** Returns the attributes by which a customer is searched, filtered and looked up. */
export function toSearchAttributes(
  { date }: Pick<SystemFields, 'date'>,
  fields: CustomerFields,
): SearchAttributes {
  const { name, customerid, companyno = '', address, postcode = '', postoffice } = fields;
  const identityNumber = parseIdentityNumber(companyno);
  return {
    createdAt: Date.parse(date),
    nameText: nameText(name, customerid),
    addressText: searchText([address, postoffice]),
    postcodeText: withoutSeparators(fold(postcode)) || undefined,
    companyText: withoutSeparators(fold(companyno)) || undefined,
    kind: kindOf(fields, identityNumber),
    eInvoice: (!!fields.crediflowPartyId && !isTrue(fields.dontSendEFaktura)) || undefined,
    reverseTax: isTrue(fields.reversetax) || undefined,
    identityNumber: identityNumber?.canonical,
  };
}

/** Returns the kind that `customertypecode` names, otherwise that of the number in `companyno`. */
export function kindOf(
  { customertypecode }: CustomerFields,
  number: IdentityNumber | undefined,
): Kind {
  return kindFromCode(customertypecode) ?? number?.kind ?? 'unknown';
}

function kindFromCode(customertypecode = ''): Kind | undefined {
  const word = fold(customertypecode);
  if (KIND_WORDS.private.includes(word)) return 'private';
  return KIND_WORDS.company.includes(word) ? 'company' : undefined;
}

function isTrue(text = ''): boolean {
  return TRUE_WORDS.includes(text.trim().toUpperCase());
}

/** The separator is there if the customerid is, so that one of both can be told from the other. */
function nameText(name = '', customerid = ''): string | undefined {
  const id = fold(customerid);
  return fold(name) + (id && SEPARATOR + id) || undefined;
}

/** Returns the folded name in a {@link SearchAttributes.nameText}; empty if there is none. */
export function nameOf(text = ''): string {
  return text.split(SEPARATOR)[0] as string;
}

/** Returns the folded customerid in a {@link SearchAttributes.nameText}; empty if there is none. */
export function customeridOf(text = ''): string {
  return text.split(SEPARATOR)[1] ?? '';
}

function searchText(texts: readonly (string | undefined)[]): string | undefined {
  return texts.flatMap((text) => (text ? fold(text) : [])).join(SEPARATOR) || undefined;
}
