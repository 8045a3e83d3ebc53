import { parseIdentityNumber } from '../shared/customer/identity-number.ts';
import { toRegisterEntry } from '../shared/customer/register-entry.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { badParameter, Problem } from '../shared/http/problem.ts';
import { findByOrgNumber } from '../shared/store/directory.ts';
import { getCustomer } from '../shared/store/get-customer.ts';

/**
 * GET /customers/searchByOrgNumber/{orgNum}: name and address of the person or company with this
 * number in the merchant's own register; of several customers, the newest.
 */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const number = parseIdentityNumber(request.path.orgNum ?? '');
  if (!number) {
    throw badParameter(
      'orgNum',
      'is no valid personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits',
    );
  }
  const ids = await findByOrgNumber(request.merchant, number.digits);
  for (const id of ids.toReversed()) {
    const customer = await getCustomer(request.merchant, id);
    // The index follows within a second: by now it may be gone, or have another number.
    if (customer && parseIdentityNumber(customer.texts.companyno ?? '')?.digits === number.digits) {
      return { body: toRegisterEntry(customer, number) };
    }
  }
  throw new Problem(404, 'No customer has this number.');
});
