import { retryWhileThrottled } from '../aws-errors.ts';
import { mapConcurrently } from '../concurrency.ts';
import { applyChanges, type CustomerFields } from '../domain/customer.ts';
import {
  getMarkedCustomers,
  importMark,
  type MarkedCustomer,
  writeMarked,
} from '../storage/marked-customers.ts';
import { nextVersion } from '../storage/update-customer.ts';
import { writeUnits } from './pace.ts';
import type { Step } from './step.ts';

/** Customers that are read together, and of these concurrent writes. */
const BATCH = 100;
const CONCURRENT_WRITES = 16;

/** A customer whose fields are replaced for a row. */
export interface Replacement {
  readonly row: number;
  readonly id: number;
  /** The version that is replaced. */
  readonly version: number;
  /** Mark that the version must have, if it must have one. */
  readonly mark?: Uint8Array;
  /** New values of the fields that change; an empty text unsets a field. */
  readonly changes: CustomerFields;
}

/** Whether a replacement was written, in this run of its step or in an earlier one, or why not. */
export type Replaced = 'written' | 'changedMeanwhile' | 'unclear';

/** Replaces fields of customers, unless others have written them since. */
export async function replaceFields(
  step: Step,
  replacements: readonly Replacement[],
): Promise<Replaced[]> {
  const replaced: Replaced[] = [];
  // One batch at a time, since customers can have up to 400 kB.
  for (let from = 0; from < replacements.length; from += BATCH) {
    const batch = replacements.slice(from, from + BATCH);
    const found = await read(step, [...new Set(batch.map(({ id }) => id))]);
    const write = (replacement: Replacement) =>
      replace(step, replacement, found.get(replacement.id));
    replaced.push(...(await mapConcurrently(batch, CONCURRENT_WRITES, write)));
  }
  return replaced;
}

function read({ merchantId }: Step, ids: readonly number[]): Promise<Map<number, MarkedCustomer>> {
  return retryWhileThrottled(() => getMarkedCustomers(merchantId, ids));
}

async function replace(
  step: Step,
  replacement: Replacement,
  seen: MarkedCustomer | undefined,
): Promise<Replaced> {
  const { row, id, version, changes } = replacement;
  const mark = importMark(step.importId, row, step.kind);
  if (seen?.customer.version !== version) return explain(replacement, mark, seen, step.isFirstRun);
  const customer = nextVersion(seen.customer, applyChanges(seen.customer.fields, changes));
  await step.pace(writeUnits(customer));
  let isOnlyWrite = step.isFirstRun;
  const outcome = await retryWhileThrottled(async () => {
    try {
      return await writeMarked(step.merchantId, customer, mark, replacement.mark);
    } catch (error) {
      isOnlyWrite = false;
      throw error;
    }
  });
  if (outcome === 'done') return 'written';
  isOnlyWrite &&= outcome === 'condition failed';
  return explain(replacement, mark, (await read(step, [id])).get(id), isOnlyWrite);
}

/**
 * Returns what became of a replacement whose version is not there to be replaced. Each write raises the
 * version by 1, so that the mark of the next version says who has written it.
 *
 * @param isOnlyWrite whether no write before the one that failed can have been executed.
 */
function explain(
  { version }: Replacement,
  mark: Uint8Array,
  found: MarkedCustomer | undefined,
  isOnlyWrite: boolean,
): Replaced {
  if (found && found.customer.version <= version + 1) {
    const isOwn = found.mark !== undefined && Buffer.compare(found.mark, mark) === 0;
    return isOwn ? 'written' : 'changedMeanwhile';
  }
  return isOnlyWrite ? 'changedMeanwhile' : 'unclear';
}
