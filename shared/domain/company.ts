import { countryCode } from './country-code.ts';
import type { Customer } from './customer.ts';
import type { IdentityNumber } from './identity-number.ts';
import { internationalPhone } from './phone.ts';
import { kindOf } from './search-attributes.ts';

export const COMPANY_STATUSES = ['active', 'deregistered', 'bankrupt', 'winding-up'] as const;
export type CompanyStatus = (typeof COMPANY_STATUSES)[number];

/** A company as a public register describes it. */
export interface RegisteredCompany {
  readonly name: string;
  readonly street: string;
  /** As the register writes it. */
  readonly postcode: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Undefined if the register cannot say at the moment. */
  readonly status?: CompanyStatus | undefined;
  /** Day of its deregistration (ISO 8601), if it is deregistered and the register says when. */
  readonly deregistered?: string | undefined;
  /** Whether the register left a part out for now; such a company is not cached. */
  readonly isPartial?: boolean;
}

/**
 * Why a public register has no company to return for a number: it does not know the number, or it is
 * the number of a sole trader, who is a person.
 */
export type NoCompany = 'unknown number' | 'sole trader';

/** Name and address of a person or a company, as searchByOrgNumber returns it. */
export interface RegisterEntry {
  readonly firstname: string;
  readonly lastname: string;
  readonly company: string;
  readonly street: string;
  /** An integer if the postcode is digits without leading zeros, otherwise the postcode as stored. */
  readonly zip: number | string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Digits with country code, without `+`. */
  readonly phone: string;
  readonly email: string;
}

/** Returns a company of a public register as a register entry. */
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

/**
 * Returns a customer as a register entry: a person with two names, or a company with one. A sole
 * trader, whose number is a person's, is a company if `customertypecode` says so.
 */
export function toRegisterEntry({ fields }: Customer, number: IdentityNumber): RegisterEntry {
  const { name = '', address = '', postcode = '', postoffice = '', email = '' } = fields;
  const country =
    countryCode(fields.countrycode ?? '') ?? countryCode(fields.country ?? '') ?? number.country;
  return {
    ...(kindOf(fields, number) === 'company'
      ? { firstname: '', lastname: '', company: name }
      : personName(name)),
    street: address,
    zip: zipOf(postcode),
    city: postoffice,
    country,
    phone:
      internationalPhone(fields.mobile ?? '', country) ||
      internationalPhone(fields.telephone ?? '', country),
    email,
  };
}

/** A postcode such as 00101 would lose its zeros as a number. */
function zipOf(postcode: string): number | string {
  const digits = postcode.replace(/\s/g, '');
  const isExact = /^(?:0|[1-9]\d*)$/.test(digits) && Number.isSafeInteger(Number(digits));
  return isExact ? Number(digits) : postcode;
}

/** The last word is the last name; `Svensson, Kalle` is understood too. */
function personName(name: string) {
  const [last = '', first] = name.split(',').map((part) => part.trim());
  if (first !== undefined) return { firstname: first, lastname: last, company: '' };
  const words = name.trim().split(/\s+/);
  const lastname = words.length > 1 ? (words.pop() as string) : '';
  return { firstname: words.join(' '), lastname, company: '' };
}
