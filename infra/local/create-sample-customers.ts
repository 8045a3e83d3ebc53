import { mapConcurrently } from '../../shared/concurrency.ts';
import { readDataFile, writeDataFile } from './data-folder.ts';
import { sampleCustomers } from './sample-customers.ts';

const MARK_FILE = 'sample-customers-created';
const CONCURRENCY = 8;

/**
 * Creates the sample customers through the API, once for each data folder. Idempotency keys prevent
 * duplicates if an earlier start was interrupted.
 */
export async function createSampleCustomers(folder: string, url: string, token: string) {
  if (await readDataFile(folder, MARK_FILE)) return;
  await mapConcurrently(sampleCustomers(), CONCURRENCY, async (customer) => {
    const response = await fetch(`${url}/customers`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `sample-${customer.customerid}`,
      },
      body: JSON.stringify(customer),
    });
    if (!response.ok)
      throw new Error(
        `POST /customers responded ${response.status} to a sample customer: ${await response.text()}`,
      );
    await response.arrayBuffer();
  });
  await writeDataFile(folder, MARK_FILE, new Date().toISOString());
}
