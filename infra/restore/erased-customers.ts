import { readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../command.ts';
import type { CustomerId, ErasedCustomer } from './restored-items.ts';

/** Faults of a list of customers that are reported at most. */
const MAX_FAULTS = 20;

/**
 * Writes a list of erased customers, a JSON object on each line, for an operator to edit. A list that
 * is there, and may be edited already, stays as it is.
 */
export function writeErasedCustomers(path: string, customers: readonly ErasedCustomer[]): void {
  const lines = customers.map((customer) => `${JSON.stringify(customer)}\n`);
  try {
    writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Reads a list that {@link writeErasedCustomers} has written, without the lines that were deleted.
 *
 * @throws UsageError that lists the faults of its lines, or if it cannot be read.
 */
export function readErasedCustomers(path: string): CustomerId[] {
  const customers: CustomerId[] = [];
  const faults: string[] = [];
  for (const [index, line] of read(path).split('\n').entries()) {
    if (line.trim() === '') continue;
    const customer = parse(line);
    if (customer) customers.push(customer);
    else faults.push(`  line ${index + 1}: must be {"merchant": "…", "id": 1}; got ${line}`);
  }
  if (faults.length > 0) {
    const more = faults.length > MAX_FAULTS ? [`  and ${faults.length - MAX_FAULTS} more`] : [];
    throw new UsageError(
      [`${path} is not a list of erased customers:`, ...faults.slice(0, MAX_FAULTS), ...more].join(
        '\n',
      ),
    );
  }
  return customers;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--erase-again: ${(error as Error).message}`);
  }
}

function parse(line: string): CustomerId | undefined {
  try {
    const { merchant, id } = JSON.parse(line);
    const isCustomer = typeof merchant === 'string' && Number.isSafeInteger(id) && id > 0;
    return isCustomer ? { merchant, id } : undefined;
  } catch {
    return undefined;
  }
}
