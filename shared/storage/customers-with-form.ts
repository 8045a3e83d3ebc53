import { mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import { MAX_DUPLICATES_NAMED } from '../domain/limits.ts';
import { lookUpForm } from '../domain/look-up-forms.ts';
import { findByForm } from './find-by-form.ts';
import { getCustomer } from './read-customer.ts';

/** Fields whose value names a customer, if it is the only one that has it. */
type KeyField = 'customerid' | 'companyno';

const CONCURRENT_READS = 10;

/**
 * Returns customers whose field has this form, or several of them if there are many. They are read
 * consistently, but found by an index, which follows writes with a delay.
 */
export async function customersWithForm(
  merchantId: string,
  field: KeyField,
  form: string,
): Promise<Customer[]> {
  const ids = await findByForm(merchantId, field, form);
  const found: Customer[] = [];
  for (let from = 0; from < ids.length && found.length < 2; from += MAX_DUPLICATES_NAMED) {
    const some = ids.slice(from, from + MAX_DUPLICATES_NAMED);
    const customers = await mapConcurrently(some, CONCURRENT_READS, (id) =>
      getCustomer(merchantId, id),
    );
    // The index can lag behind.
    found.push(...customers.filter((customer) => hasForm(customer, field, form)));
  }
  return found;
}

/** Returns whether a customer exists and has this form of a field. */
export function hasForm(
  customer: Customer | undefined,
  field: KeyField,
  form: string,
): customer is Customer {
  return customer !== undefined && lookUpForm(field, customer.fields[field] ?? '') === form;
}
