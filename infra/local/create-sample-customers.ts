import { readDataFile, writeDataFile } from './data-folder.ts';
import { SAMPLE_MERCHANT, sampleCustomers } from './sample-customers.ts';
import type { LocalStack } from './stack.ts';

const MARK_FILE = 'sample-customers-created';

/**
 * Creates the sample customers, once for each data folder. After a start that was interrupted, the
 * next one writes them again, under the same ids.
 *
 * @param references the module and the service that they belong to.
 */
export async function createSampleCustomers(
  folder: string,
  stack: LocalStack,
  references: { readonly mexcModulesid: number; readonly mm3servicesid: number },
): Promise<void> {
  if (await readDataFile(folder, MARK_FILE)) return;
  // Later starts do without it.
  const { seedCustomers } = await import('./seed-customers.ts');
  await stack.whileOpen(seedCustomers(stack, SAMPLE_MERCHANT, sampleCustomers(), references));
  await writeDataFile(folder, MARK_FILE, new Date().toISOString());
}
