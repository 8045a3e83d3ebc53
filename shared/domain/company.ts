import type { RegisteredCompany } from '../company-registers/company-register.ts';
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

/** How telephone numbers are written in the countries around: nationally, and from abroad. */
const PHONES: Readonly<Record<string, { national: RegExp; code: string }>> = {
  SE: { national: /^0(?!0)/, code: '46' },
  FI: { national: /^0(?!0)/, code: '358' },
  // These two have no prefix, and eight digits.
  NO: { national: /^(?=\d{8}$)/, code: '47' },
  DK: { national: /^(?=\d{8}$)/, code: '45' },
};

/** A company that a public register has told of, in the form of a register's entry. */
export function companyEntry(company: RegisteredCompany): RegisterEntry {
  const { name, street, postcode, city, country } = company;
  return {
    firstname: '',
    lastname: '',
    company: name,
    street,
    zip: zipOf(postcode),
    city,
    country,
    phone: '',
    email: '',
  };
}

/** A customer in the form of a register's entry: a person with two names, or a company with one. */
export function toRegisterEntry(
  { texts }: Customer,
  { kind, country: usual }: IdentityNumber,
): RegisterEntry {
  const { name = '', address = '', postcode = '', postoffice = '', email = '' } = texts;
  const code = texts.countrycode?.trim().toUpperCase() ?? '';
  const country = /^[A-Z]{2}$/.test(code) ? code : usual;
  return {
    ...(kind === 'company' ? { firstname: '', lastname: '', company: name } : personName(name)),
    street: address,
    zip: zipOf(postcode),
    city: postoffice,
    country,
    phone: internationalPhone(texts.mobile || texts.telephone || '', country),
    email,
  };
}

function zipOf(postcode: string): number | string {
  const digits = postcode.replace(/\s/g, '');
  return /^\d{1,15}$/.test(digits) ? Number(digits) : postcode;
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
