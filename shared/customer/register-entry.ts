import type { Customer } from './customer.ts';
import type { IdentityNumber } from './identity-number.ts';

/** Name and address of a person or a company, as searchByOrgNumber answers. */
export interface RegisterEntry {
  readonly firstname: string;
  readonly lastname: string;
  readonly company: string;
  readonly street: string;
  /** A whole number where the postcode is digits only, otherwise as it stands. */
  readonly zip: number | string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Digits with country code, without `+`. */
  readonly phone: string;
  readonly email: string;
}

const DEFAULT_COUNTRY = 'SE';
/** Country codes of telephone numbers in the countries around. */
const CALLING_CODES: Readonly<Record<string, string>> = {
  SE: '46',
  NO: '47',
  DK: '45',
  FI: '358',
};

/** A customer in the form of a register's entry: a person with two names, or a company with one. */
export function toRegisterEntry({ texts }: Customer, { kind }: IdentityNumber): RegisterEntry {
  const { name = '', address = '', postcode = '', postoffice = '', email = '' } = texts;
  const country = texts.countrycode?.toUpperCase() || DEFAULT_COUNTRY;
  const digits = postcode.replace(/\s/g, '');
  const isNumber = /^[1-9]\d{0,14}$/.test(digits);
  return {
    ...(kind === 'company' ? { firstname: '', lastname: '', company: name } : personName(name)),
    street: address,
    zip: isNumber ? Number(digits) : postcode,
    city: postoffice,
    country,
    phone: internationalPhone(texts.mobile || texts.telephone || '', country),
    email,
  };
}

/** The last word is the last name; `Svensson, Kalle` is understood as well. */
function personName(name: string) {
  const [last = '', first] = name.split(',').map((part) => part.trim());
  if (first !== undefined) return { firstname: first, lastname: last, company: '' };
  const words = name.trim().split(/\s+/);
  const lastname = words.length > 1 ? (words.pop() as string) : '';
  return { firstname: words.join(' '), lastname, company: '' };
}

function internationalPhone(phone: string, country: string): string {
  const digits = phone.replace(/\(0\)/, '').replace(/\D/g, '');
  if (digits === '' || phone.trim().startsWith('+')) return digits;
  if (digits.startsWith('00')) return digits.slice(2);
  const code = CALLING_CODES[country];
  return code && digits.startsWith('0') ? `${code}${digits.slice(1)}` : digits;
}
