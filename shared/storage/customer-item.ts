import type { Customer } from '../domain/customer.ts';
import { toSearchAttributes } from '../domain/search-attributes.ts';
import { CUSTOMER_INDEX, customerKey, STORED_NAMES, UPDATED_AT } from './table.ts';

/**
 * Returns a customer as it is stored: set fields under their API names, the search attributes, the
 * version, and the time of the last change.
 */
export function toItem(
  merchantId: string,
  { system, fields, version, updated }: Customer,
): Record<string, unknown> {
  const { mexcParamvaluesetsid: id } = system;
  const search = toSearchAttributes(system, fields);
  return {
    ...customerKey(merchantId, id),
    ...system,
    ...fields,
    [CUSTOMER_INDEX.sortKey]: id,
    [STORED_NAMES.createdAt]: search.createdAt,
    [STORED_NAMES.nameText]: search.nameText,
    [STORED_NAMES.addressText]: search.addressText,
    [STORED_NAMES.postcodeText]: search.postcodeText,
    [STORED_NAMES.companyText]: search.companyText,
    [STORED_NAMES.kind]: search.kind.charAt(0),
    [STORED_NAMES.eInvoice]: search.eInvoice,
    [STORED_NAMES.reverseTax]: search.reverseTax,
    [STORED_NAMES.identityNumber]: search.identityNumber,
    version,
    [UPDATED_AT]: Date.parse(updated),
  };
}
