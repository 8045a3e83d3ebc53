import { registerAddress } from '../../shared/company-registers/company-register.ts';
import { companyEntry, toRegisterEntry } from '../../shared/domain/company.ts';
import { type IdentityNumber, parseIdentityNumber } from '../../shared/domain/identity-number.ts';
import { api, json } from '../../shared/http/api.ts';
import { Problem } from '../../shared/http/problem-details.ts';
import { findByForm } from '../../shared/storage/find-by-form.ts';
import { getCustomer } from '../../shared/storage/read-customer.ts';
import { request } from './contract.ts';

/**
 * GET /customers/searchByOrgNumber/{orgNum}: returns name and address of the person or company with
 * this number: the merchant's own customer, the newest if there are several; otherwise the company
 * in the public register of its country, unless it is a sole trader, who is a person. Headers name
 * the source and the time.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const number = event.pathParameters.orgNum;
  const customer = await findCustomer(merchantId, number);
  if (customer) {
    const headers = { 'register-source': 'own', 'register-retrieved': new Date().toISOString() };
    return json(toRegisterEntry(customer, number), { headers });
  }
  // There is no public register of persons; a Swedish sole trader's number is a person's.
  if (number.kind === 'company' && registerAddress(number.country)) {
    // Loaded on demand: most look-ups find own customers, and their cold start does without this.
    const { lookUpCompany } = await import('../../shared/company-registers/look-up.ts');
    const found = await lookUpCompany(merchantId, number);
    if (found === 'sole trader') {
      throw notFound(
        'In the public register this is the number of a sole trader. Sole traders are persons, ' +
          'and are not returned.',
      );
    }
    if (found !== 'unknown number') {
      const { company, source, retrieved } = found;
      const headers = {
        'register-source': source,
        'register-retrieved': retrieved,
        ...(company.status && { 'register-status': company.status }),
        ...(company.isPartial && { 'register-partial': 'true' }),
        ...(company.deregistered && { 'register-deregistered': company.deregistered }),
      };
      return json(companyEntry(company), { headers });
    }
  }
  throw notFound('Neither a customer nor an enabled public register has this number.');
});

function notFound(detail: string): Problem {
  return new Problem(404, detail, { type: '/problems/number-not-found' });
}

async function findCustomer(merchantId: string, { canonical }: IdentityNumber) {
  for (const id of (await findByForm(merchantId, 'companyno', canonical)).toReversed()) {
    const customer = await getCustomer(merchantId, id);
    // The index follows writes with a delay: the customer may be gone by now, or have another number.
    const current = parseIdentityNumber(customer?.fields.companyno ?? '')?.canonical;
    if (current === canonical) return customer;
  }
  return undefined;
}
