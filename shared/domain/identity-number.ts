import organisationsnummer from 'organisationsnummer';
import personnummer from 'personnummer';
import { identityNumberForms, type NumberForm } from './identity-number-forms.ts';

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

const PERSON_CENTURIES = ['18', '19', '20'];
const NORWEGIAN_WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2];
const FINNISH_WEIGHTS = [7, 9, 10, 5, 8, 4, 2];

/**
 * Reads a Swedish personnummer, samordningsnummer or organisationsnummer, a Norwegian
 * organisasjonsnummer, a Finnish Y-tunnus or the VAT number of one, in each form of
 * {@link identityNumberForms}.
 *
 * From the year in which a person turns 100, `+` replaces `-` (folkbokföringslagen, section 18). Ten
 * digits with `+` therefore mean a year of birth 100 to 199 years ago, and without it one of this year
 * and the 99 before.
 *
 * @returns undefined if it is none, be it for its form, its date or its check digit.
 */
export function parseIdentityNumber(text: string): IdentityNumber | undefined {
  for (const form of identityNumberForms(text)) {
    const number = PARSE[form.country](form);
    if (number) return number;
  }
  return undefined;
}

const PARSE: Readonly<Record<Country, (form: NumberForm) => IdentityNumber | undefined>> = {
  SE: ({ century, digits, sign }) => {
    const text = `${century}${digits.slice(0, 6)}${sign}${digits.slice(6)}`;
    // Of an organisation's number the month is at least 20. The library would throw, which takes 20 µs.
    const hasMonth = Number(digits.slice(2, 4)) <= 12;
    return (hasMonth ? parsePerson(text) : undefined) ?? parseOrganisation(text);
  },
  NO: ({ digits }) =>
    hasCheckDigit(digits, NORWEGIAN_WEIGHTS)
      ? { kind: 'company', country: 'NO', canonical: `NO${digits}`, inRegister: digits }
      : undefined,
  FI: ({ digits }) =>
    hasCheckDigit(digits, FINNISH_WEIGHTS)
      ? {
          kind: 'company',
          country: 'FI',
          canonical: `FI${digits}`,
          inRegister: digits.replace(/.$/, '-$&'),
        }
      : undefined,
};

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

/**
 * Modulus 11: a remainder of 1 has no check digit, so that such numbers are not given out. Zeros alone
 * have one, and are no number.
 */
function hasCheckDigit(digits: string, weights: readonly number[]): boolean {
  if (Number(digits) === 0) return false;
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  return (11 - (sum % 11)) % 11 === Number(digits[weights.length]);
}
