import { countryCode } from './country-code.ts';
import type { CustomerFields } from './customer.ts';
import type { LookUpName } from './customer-filter.ts';
import { fold, plainText, withoutSeparators } from './fold.ts';
import { parseIdentityNumber } from './identity-number.ts';
import { internationalPhone } from './phone.ts';

/** Returns a merchant's own key in the form in which keys are compared: case matters. */
export function customeridForm(text: string): string {
  return text.normalize('NFC').trim();
}

/** Country of a telephone number of which nothing else is known. */
const HOME = 'SE';

/** The fields by which a customer is looked up, each in its one form; unset ones have none. */
export type LookUpForms = Readonly<Record<LookUpName | 'mobile', string | undefined>>;

/** Returns the forms of a customer's fields. */
export function lookUpForms(fields: CustomerFields): LookUpForms {
  const { customerid, email, telephone, mobile, vatregno, glncode, companyno } = fields;
  const form = (name: LookUpName, text = '') => (text && lookUpForm(name, text)) || undefined;
  const phone = (text = '') => (text && phoneForm(text, () => countryOf(fields))) || undefined;
  return {
    customerid: form('customerid', customerid),
    email: form('email', email),
    telephone: phone(telephone),
    mobile: phone(mobile),
    vatregno: form('vatregno', vatregno),
    glncode: form('glncode', glncode),
    companyno: form('companyno', companyno),
  };
}

/** Returns the form of a value to look up; empty if nothing of it is compared. */
export function lookUpForm(name: LookUpName, text: string): string {
  return FORMS[name](text);
}

const FORMS: Readonly<Record<LookUpName, (text: string) => string>> = {
  customerid: customeridForm,
  email: fold,
  telephone: (text) => phoneForm(text, () => HOME),
  vatregno: (text) => plainText(text).toUpperCase().replace(/[ .-]/g, ''),
  glncode: digitsOf,
  companyno: companynoForm,
};

/** Returns the canonical identity number; of an invalid one its own form, after `=`. */
function companynoForm(text: string): string {
  const canonical = parseIdentityNumber(text)?.canonical;
  if (canonical) return canonical;
  const own = withoutSeparators(fold(text));
  return own && `=${own}`;
}

/** Returns the first telephone number with country code, otherwise all digits. */
function phoneForm(text: string, country: () => string): string {
  if (!/\d/.test(text)) return '';
  return internationalPhone(text, country()) || digitsOf(text);
}

function countryOf({ countrycode = '', country = '' }: CustomerFields): string {
  return countryCode(countrycode) ?? countryCode(country) ?? HOME;
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}
