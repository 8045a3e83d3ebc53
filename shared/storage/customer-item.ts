import type { Customer } from '../domain/customer.ts';
import { type LookUpForms, lookUpForms } from '../domain/look-up-forms.ts';
import { toSearchAttributes } from '../domain/search-attributes.ts';
import {
  CLAIMED,
  CUSTOMER_INDEX,
  customerKey,
  LOOK_UP_INDEXES,
  lookUpKey,
  STORED_NAMES,
  UPDATED_AT,
} from './table.ts';

/**
 * Returns a customer as it is stored: set fields under their API names, the search attributes, the
 * sort keys of the look-up indexes, the version, and the time of the last change.
 */
export function toItem(
  merchantId: string,
  { system, fields, version, updated, claimed }: Customer,
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
    ...lookUpKeys(lookUpForms(fields)),
    [CLAIMED]: claimed,
    version,
    [UPDATED_AT]: Date.parse(updated),
  };
}

/** Returns the attributes that are sort keys of the look-up indexes. */
function lookUpKeys(forms: LookUpForms): Record<string, unknown> {
  const keys: Record<string, unknown> = {};
  for (const name of Object.keys(LOOK_UP_INDEXES) as (keyof LookUpForms)[]) {
    const form = forms[name];
    if (form) keys[LOOK_UP_INDEXES[name].sortKey] = lookUpKey(name, form);
  }
  return keys;
}
