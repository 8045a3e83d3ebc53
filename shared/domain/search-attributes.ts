import { DERIVED } from '../storage/table.ts';
import type { CustomerTexts, Origin } from './customer.ts';
import { parseIdentityNumber } from './identity-number.ts';

/** Who a customer is. */
export type Kind = 'private' | 'company' | 'unknown';

/** Stands between the folded fields of one search text; folding leaves none inside a field. */
const SEPARATOR = '\n';
/** Words of `customertypecode` that say the kind, folded. */
const KIND_WORDS: Readonly<Record<Exclude<Kind, 'unknown'>, readonly string[]>> = {
  private: ['PRIVATE', 'PRIVAT', 'PRIVATPERSON', 'PERSON', 'CONSUMER', 'KONSUMENT', 'B2C'],
  company: ['COMPANY', 'FÖRETAG', 'FORETAG', 'BUSINESS', 'ORGANISATION', 'ORGANIZATION', 'B2B'],
};
const TRUE_WORDS = ['1', 'TRUE', 'YES', 'JA', 'ON'];
const NUMBER_WITH_SEPARATORS = /^\d[\d\s+-]*$/;

/** The attributes by which a customer is searched, filtered and looked up. */
export function derive({ mexcParamvaluesetsid, date }: Origin, texts: CustomerTexts) {
  const { name, customerid, companyno, address, postcode, postoffice } = texts;
  return {
    [DERIVED.directoryKey]: mexcParamvaluesetsid,
    [DERIVED.createdAt]: Date.parse(date),
    [DERIVED.nameText]: searchText([name, customerid, companyno]),
    [DERIVED.addressText]: searchText([address, postcode, postoffice]),
    [DERIVED.companyDigits]: digitsOf(companyno ?? ''),
    [DERIVED.kind]: kindLetter(kindOf(texts)),
    [DERIVED.eInvoice]: (!!texts.crediflowPartyId && !isTrue(texts.dontSendEFaktura)) || undefined,
    [DERIVED.reverseTaxed]: isTrue(texts.reversetax) || undefined,
    [DERIVED.orgNumber]: parseIdentityNumber(companyno ?? '')?.canonical,
  };
}

/**
 * A text in the form in which texts are compared: upper case, which unlike lower case depends on
 * no neighbour, composed (NFC), and with each run of white space as one space. Letters are taken
 * apart (NFD) first, since some composed ones have no composed form in the other case.
 */
export function fold(text: string): string {
  return text.normalize('NFD').toUpperCase().normalize('NFC').replace(/\s+/gu, ' ');
}

/** The digits of a text that is a number, perhaps written with hyphens or spaces. */
export function digitsOf(text: string): string | undefined {
  const trimmed = text.trim();
  return NUMBER_WITH_SEPARATORS.test(trimmed) ? trimmed.replace(/\D/g, '') : undefined;
}

/** How a kind is stored. */
export function kindLetter(kind: Kind): string {
  return kind.charAt(0);
}

function kindOf({ customertypecode = '', companyno = '' }: CustomerTexts): Kind {
  const word = fold(customertypecode).trim();
  if (KIND_WORDS.private.includes(word)) return 'private';
  if (KIND_WORDS.company.includes(word)) return 'company';
  return parseIdentityNumber(companyno)?.kind ?? 'unknown';
}

function isTrue(text = ''): boolean {
  return TRUE_WORDS.includes(text.trim().toUpperCase());
}

function searchText(texts: readonly (string | undefined)[]): string | undefined {
  return (
    texts
      .filter(Boolean)
      .map((text) => fold(text as string))
      .join(SEPARATOR) || undefined
  );
}
