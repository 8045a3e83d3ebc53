import type { CustomerFilter } from '../domain/customer-filter.ts';
import { countInIndex } from './customer-index.ts';

/**
 * Returns how many customers meet the filter. With look-ups it reads the customers that their
 * indexes find; otherwise the customer index alone. Indexes follow writes usually within a second.
 */
export async function countCustomers(merchantId: string, filter: CustomerFilter): Promise<number> {
  if (!filter.lookUps) return countInIndex(merchantId, filter);
  // Loaded on demand: most counts have no look-up, and their cold start does without this.
  const { findByLookUps, lookedUpCustomers } = await import('./look-ups.ts');
  const ids = await findByLookUps(merchantId, filter);
  let count = 0;
  for await (const { customers } of lookedUpCustomers(merchantId, filter, ids)) {
    count += customers.length;
  }
  return count;
}
