import { registerAddress } from '../../shared/company-registers/company-register.ts';
import { companyEntry, toRegisterEntry } from '../../shared/domain/company.ts';
import {
  COUNTRIES,
  type Country,
  type IdentityNumber,
  parseIdentityNumber,
} from '../../shared/domain/identity-number.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { badParameter, Problem } from '../../shared/http/problem-details.ts';
import { findByOrgNumber } from '../../shared/storage/customer-index.ts';
import { getCustomer } from '../../shared/storage/read-customer.ts';

/**
 * GET /customers/searchByOrgNumber/{orgNum}: name and address of the person or company with this
 * number: of the merchant's own customers, the newest; otherwise, of a company, what the public
 * register of its country says. Headers tell which it was, and when.
 */
export const handler = endpoint(async ({ merchant, path, query }) => {
  query.allowOnly(['country']);
  const number = readNumber(path.orgNum ?? '', query.word('country', COUNTRIES));
  const customer = await findCustomer(merchant, number);
  if (customer) {
    const headers = { 'register-source': 'own', 'register-retrieved': new Date().toISOString() };
    return { body: toRegisterEntry(customer, number), headers };
  }
  // There is no public register of persons, and a sole trader's number is a person's.
  if (number.kind === 'company' && registerAddress(number.country)) {
    // Most look-ups are of own customers: a cold start of theirs does without what this takes.
    const { lookUpCompany } = await import('../../shared/company-registers/look-up.ts');
    const found = await lookUpCompany(merchant, number);
    if (found) {
      const { company, source, retrieved } = found;
      const headers = {
        'register-source': source,
        'register-retrieved': retrieved,
        ...(company.status && { 'register-status': company.status }),
        ...(company.isPartial && { 'register-partial': 'true' }),
        ...(company.deregistered && { 'register-deregistered': company.deregistered }),
      };
      return { body: companyEntry(company), headers };
    }
  }
  throw new Problem(404, 'Neither a customer nor a public register that is asked has this number.');
});

function readNumber(text: string, country: Country | undefined): IdentityNumber {
  const number = parseIdentityNumber(text);
  if (!number) {
    throw badParameter(
      'orgNum',
      'is no valid Swedish personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits, Norwegian organisasjonsnummer of 9 digits or Finnish Y-tunnus such as 0112038-9',
    );
  }
  if (country && country !== number.country) {
    throw badParameter('country', `is ${country}, but the number is one of ${number.country}`);
  }
  return number;
}

async function findCustomer(merchant: string, { canonical }: IdentityNumber) {
  for (const id of (await findByOrgNumber(merchant, canonical)).toReversed()) {
    const customer = await getCustomer(merchant, id);
    // The index follows within a second: by now it may be gone, or have another number.
    const current = parseIdentityNumber(customer?.texts.companyno ?? '')?.canonical;
    if (current === canonical) return customer;
  }
  return undefined;
}
