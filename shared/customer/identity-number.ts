import organisationsnummer from 'organisationsnummer';
import personnummer from 'personnummer';

/** A valid Swedish identity number. */
export interface IdentityNumber {
  readonly kind: 'private' | 'company';
  /**
   * Twelve digits, the one form to compare by: a person's with century, an organisation's with
   * the prefix 16 that Swedish authorities use.
   */
  readonly digits: string;
}

const FORM = /^(?:\d{2})?\d{6}[-+]?\d{4}$/;
const PERSON_CENTURIES = ['18', '19', '20'];

/**
 * Reads a personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits, with or
 * without `-` or `+`. Ten digits of a person without `+` mean the latest century that is not in
 * the future.
 *
 * @returns undefined where it is none, be it for its form, its date or its check digit.
 */
export function parseIdentityNumber(text: string): IdentityNumber | undefined {
  const trimmed = text.trim();
  if (!FORM.test(trimmed)) return undefined;
  return parsePerson(trimmed) ?? parseOrganisation(trimmed);
}

function parsePerson(text: string): IdentityNumber | undefined {
  if (!personnummer.valid(text, { allowInterimNumber: false, allowCoordinationNumber: true })) {
    return undefined;
  }
  const person = personnummer.parse(text);
  // The library takes any century and any date to come.
  if (!PERSON_CENTURIES.includes(person.century)) return undefined;
  if (person.getDate().getTime() > Date.now()) return undefined;
  return { kind: 'private', digits: person.format(true) };
}

function parseOrganisation(text: string): IdentityNumber | undefined {
  if (text.includes('+') || !organisationsnummer.valid(text)) return undefined;
  const organisation = organisationsnummer.parse(text);
  // The library takes a person's number for a sole trader's; those are parsed above, strictly.
  if (organisation.isPersonnummer()) return undefined;
  return { kind: 'company', digits: `16${organisation.format(false)}` };
}
