import { mapConcurrently } from '../../shared/concurrency.ts';
import { keep, kept } from './data-folder.ts';
import { sampleCustomers } from './sample-customers.ts';

const DONE_FILE = 'sample-customers-created';
const REQUESTS_AT_ONCE = 8;

/**
 * Creates the sample customers through the API, once for each data folder. Idempotency keys prevent
 * duplicates if an earlier start was interrupted.
 */
export async function createSampleCustomers(folder: string, url: string, token: string) {
  if (await kept(folder, DONE_FILE)) return;
  await mapConcurrently(sampleCustomers(), REQUESTS_AT_ONCE, async (customer) => {
    const response = await fetch(`${url}/customers`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `sample-${customer.customerid}`,
      },
      body: JSON.stringify(customer),
    });
    if (!response.ok) throw new Error(`A sample customer was refused: ${await response.text()}`);
    await response.arrayBuffer();
  });
  await keep(folder, DONE_FILE, new Date().toISOString());
}
