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

/** Where a holder of a Swedish number is, unless the customer's own country code says otherwise. */
const DEFAULT_COUNTRY = 'SE';
/** How telephone numbers are written in the countries around: nationally, and from abroad. */
const PHONES: Readonly<Record<string, { national: RegExp; code: string }>> = {
  SE: { national: /^0(?!0)/, code: '46' },
  FI: { national: /^0(?!0)/, code: '358' },
  // These two have no prefix, and eight digits.
  NO: { national: /^(?=\d{8}$)/, code: '47' },
  DK: { national: /^(?=\d{8}$)/, code: '45' },
};

/** A customer in the form of a register's entry: a person with two names, or a company with one. */
export function toRegisterEntry({ texts }: Customer, { kind }: IdentityNumber): RegisterEntry {
  const { name = '', address = '', postcode = '', postoffice = '', email = '' } = texts;
  const code = texts.countrycode?.trim().toUpperCase() ?? '';
  const country = /^[A-Z]{2}$/.test(code) ? code : DEFAULT_COUNTRY;
  const digits = postcode.replace(/\s/g, '');
  const isNumber = /^\d{1,15}$/.test(digits);
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
  if (phone.trim().startsWith('+')) return digits;
  if (digits.startsWith('00')) return digits.slice(2);
  const { national, code } = PHONES[country] ?? {};
  return national && code ? digits.replace(national, code) : digits;
}
