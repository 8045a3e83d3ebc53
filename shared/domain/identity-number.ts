import organisationsnummer from 'organisationsnummer';
import personnummer from 'personnummer';
import { plainText } from './plain-text.ts';

/** Countries whose numbers are known; ISO 3166-1 alpha-2. */
export const COUNTRIES = ['SE', 'NO', 'FI'] as const;
export type Country = (typeof COUNTRIES)[number];

/** A valid identity number of a company, or of a person in Sweden. */
export interface IdentityNumber {
  readonly kind: 'private' | 'company';
  readonly country: Country;
  /**
   * The one form to compare by. A Swedish number has twelve digits: a person's with century, an
   * organisation's with the prefix 16 that Swedish authorities use. Others begin with the country.
   */
  readonly canonical: string;
  /** The form in which the country's register is asked. */
  readonly inRegister: string;
}

/** Forms without spaces and in capitals, as {@link parseIdentityNumber} describes them. */
const SWEDISH = /^(?:SE-?)?(\d{2})?-?(\d{6})([-+]?)(\d{4})$/;
const SWEDISH_VAT = /^SE-?(\d{6})-?(\d{4})-?01$/;
const NORWEGIAN = /^(?:NO-?)?(\d{3})-?(\d{3})-?(\d{3})(?:-?MVA)?$/;
const FINNISH = /^(?:FI-?)?(\d{7})-(\d)$/;
const FINNISH_VAT = /^FI-?(\d{7})(\d)$/;
const PERSON_CENTURIES = ['18', '19', '20'];
const NORWEGIAN_WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2];
const FINNISH_WEIGHTS = [7, 9, 10, 5, 8, 4, 2];

/**
 * Reads a Swedish personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits, a
 * Norwegian organisasjonsnummer of 9 digits or a Finnish Y-tunnus such as 9999001-5, or the VAT
 * number of one: `SE556703748501`, `NO999990010MVA`, `FI99990015`. Spaces may stand anywhere, any
 * dash is a hyphen, and the country's code may stand in front. No number has the form of two
 * countries. Ten digits of a person without `+` mean the latest century that is not in the future.
 *
 * @returns undefined if it is none, be it for its form, its date or its check digit.
 */
export function parseIdentityNumber(text: string): IdentityNumber | undefined {
  const typed = plainText(text).toUpperCase();
  const compact = typed.replaceAll(' ', '');
  return (
    parseSwedish(SWEDISH_VAT.exec(compact)?.slice(1)) ??
    parseSwedish(SWEDISH.exec(compact)?.slice(1)) ??
    parseNorwegian(NORWEGIAN.exec(compact)?.slice(1)) ??
    // Eight digits in a row could be a Danish number.
    parseFinnish(
      (
        FINNISH.exec(compact) ??
        FINNISH_VAT.exec(compact) ??
        FINNISH.exec(typed.replace(' ', '-'))
      )?.slice(1),
    )
  );
}

function parseSwedish(parts: readonly string[] | undefined): IdentityNumber | undefined {
  const text = parts?.join('');
  return text ? (parsePerson(text) ?? parseOrganisation(text)) : undefined;
}

function parseNorwegian(parts: readonly string[] | undefined): IdentityNumber | undefined {
  const digits = parts?.join('');
  if (!digits || !hasCheckDigit(digits, NORWEGIAN_WEIGHTS)) return undefined;
  return { kind: 'company', country: 'NO', canonical: `NO${digits}`, inRegister: digits };
}

function parseFinnish(parts: readonly string[] | undefined): IdentityNumber | undefined {
  const digits = parts?.join('');
  if (!digits || !hasCheckDigit(digits, FINNISH_WEIGHTS)) return undefined;
  return {
    kind: 'company',
    country: 'FI',
    canonical: `FI${digits}`,
    inRegister: `${digits.slice(0, 7)}-${digits.slice(7)}`,
  };
}

function parsePerson(text: string): IdentityNumber | undefined {
  if (!personnummer.valid(text, { allowInterimNumber: false, allowCoordinationNumber: true })) {
    return undefined;
  }
  const person = personnummer.parse(text);
  // The library takes any century and any date to come.
  if (!PERSON_CENTURIES.includes(person.century)) return undefined;
  if (person.getDate().getTime() > Date.now()) return undefined;
  const digits = person.format(true);
  return { kind: 'private', country: 'SE', canonical: digits, inRegister: digits };
}

function parseOrganisation(text: string): IdentityNumber | undefined {
  if (text.includes('+') || !organisationsnummer.valid(text)) return undefined;
  const organisation = organisationsnummer.parse(text);
  // The library takes a person's number for a sole trader's; those are parsed above, strictly.
  if (organisation.isPersonnummer()) return undefined;
  const digits = organisation.format(false);
  return { kind: 'company', country: 'SE', canonical: `16${digits}`, inRegister: digits };
}

/** Modulus 11: a remainder of 1 has no check digit, so that such numbers are not given out. */
function hasCheckDigit(digits: string, weights: readonly number[]): boolean {
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  return (11 - (sum % 11)) % 11 === Number(digits[weights.length]);
}
