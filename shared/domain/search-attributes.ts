import type { CustomerFields, SystemFields } from './customer.ts';
import { type IdentityNumber, parseIdentityNumber } from './identity-number.ts';
import { plainText } from './plain-text.ts';

/** Who a customer is. */
export type Kind = 'private' | 'company' | 'unknown';

/** What filters and look-ups compare, derived from a customer's fields. */
export interface SearchAttributes {
  /** Creation time in milliseconds since 1970. */
  readonly createdAt: number;
  /** Name and customerid, folded for search. */
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

/** Marks of a decomposed letter, after the letters that keep theirs: Å, Ä, Ö and Cyrillic Й. */
const MARKS = /(A\u030a|[AO]\u0308|\u0418\u0306)|[\u0300-\u036f]/gu;
/** Letters that Swedish sorts as others, and that Unicode does not decompose into these. */
const SORTED_AS: Readonly<Record<string, string>> = {
  Æ: 'Ä',
  Ø: 'Ö',
  Œ: 'OE',
  Ð: 'D',
  Đ: 'D',
  Ħ: 'H',
  Ł: 'L',
  Þ: 'TH',
};
const SORTED_AS_OTHERS = new RegExp(`[${Object.keys(SORTED_AS).join('')}]`, 'gu');

/** Returns the attributes by which a customer is searched, filtered and looked up. */
export function toSearchAttributes(
  { date }: Pick<SystemFields, 'date'>,
  fields: CustomerFields,
): SearchAttributes {
  const { name, customerid, companyno = '', address, postcode = '', postoffice } = fields;
  const identityNumber = parseIdentityNumber(companyno);
  return {
    createdAt: Date.parse(date),
    nameText: searchText([name, customerid]),
    addressText: searchText([address, postoffice]),
    postcodeText: withoutSeparators(fold(postcode)) || undefined,
    companyText: withoutSeparators(fold(companyno)) || undefined,
    kind: kindOf(fields, identityNumber),
    eInvoice: (!!fields.crediflowPartyId && !isTrue(fields.dontSendEFaktura)) || undefined,
    reverseTax: isTrue(fields.reversetax) || undefined,
    identityNumber: identityNumber?.canonical,
  };
}

/**
 * Returns a text in the form in which texts are compared: {@link plainText} in upper case, without
 * the accents that Swedish does not hold apart. å, ä and ö are letters of their own; ø is compared
 * as ö and æ as ä, as Swedish sorts them. Lower case comes first, since some letters have two
 * capitals.
 */
export function fold(text: string): string {
  const letters = text.normalize('NFD').toLowerCase().toUpperCase().replace(MARKS, '$1');
  return plainText(
    letters.normalize('NFC').replace(SORTED_AS_OTHERS, (letter) => SORTED_AS[letter] as string),
  );
}

/** Returns a folded number or postcode without the spaces and signs by which it can be grouped. */
export function withoutSeparators(folded: string): string {
  return folded.replace(/[ +-]/g, '');
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

function searchText(texts: readonly (string | undefined)[]): string | undefined {
  return texts.flatMap((text) => (text ? fold(text) : [])).join(SEPARATOR) || undefined;
}
