import { seedCustomers } from '../../infra/local/seed-customers.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import { type CustomerJson, toCustomerJson } from '../../shared/formats/json.ts';
import { type Client, localStack, newMerchant } from './api.ts';
import { recordSentTexts } from './logs.ts';

/** A merchant whose name is in the keys of its items, by which fault proxies tell its requests. */
export interface SeededMerchant {
  readonly name: string;
  readonly merchant: Client;
  /** Its customers as the API responds with them, by ascending id. */
  readonly customers: readonly CustomerJson[];
  readonly ids: readonly number[];
}

/**
 * Creates a merchant of the local stack with customers, whom it writes into the table: for tests that
 * need many, and are not about their creation.
 *
 * @param fieldsOf returns the fields of the customer at an index from 0.
 * @param dateOf returns when it was created, in ascending order; now if not given.
 */
export async function newMerchantWith(
  count: number,
  fieldsOf: (index: number) => CustomerFields = () => ({ name: 'A' }),
  dateOf?: (index: number) => string,
): Promise<SeededMerchant> {
  const name = crypto.randomUUID();
  const fields = Array.from({ length: count }, (_, index) => fieldsOf(index));
  recordSentTexts('', fields);
  const customers = await seedCustomers(localStack(), name, fields, {}, dateOf);
  return {
    name,
    merchant: await newMerchant(0, { merchant: name }),
    customers: customers.map((customer) => toCustomerJson(customer)),
    ids: customers.map(({ system }) => system.mexcParamvaluesetsid),
  };
}
