import { mapConcurrently } from '../concurrency.ts';
import type { Customer, CustomerFields } from '../domain/customer.ts';
import {
  getMarkedCustomers,
  importMark,
  type MarkedCustomer,
  writeMarked,
} from '../storage/marked-customers.ts';
import { retryWhileThrottled } from '../storage/retry-while-throttled.ts';
import { nextVersion } from '../storage/write-customers.ts';
import { writeUnits } from './pace.ts';
import type { Step } from './step.ts';

const CONCURRENT_WRITES = 16;

/** A customer whose fields are replaced for a row. */
export interface Replacement {
  readonly row: number;
  readonly id: number;
  /** The version that is replaced. */
  readonly version: number;
  /** Mark that the version must have, if it must have one. */
  readonly mark?: Uint8Array;
  /** Returns the new fields. */
  readonly fieldsAfter: (fields: CustomerFields) => CustomerFields;
}

/** What became of a replacement; if it is written, the customer as it was written. */
export type Replaced =
  | { readonly result: 'written'; readonly customer: Customer }
  | { readonly result: 'changedMeanwhile' | 'unclear' };

/** Replaces fields of customers, in this run of a step or in an earlier one. */
export async function replaceFields<R extends Replacement>(
  step: Step,
  replacements: readonly R[],
): Promise<(readonly [replacement: R, replaced: Replaced])[]> {
  const ids = [...new Set(replacements.map(({ id }) => id))];
  const found = await retryWhileThrottled(() => getMarkedCustomers(step.merchantId, ids));
  return mapConcurrently(replacements, CONCURRENT_WRITES, async (replacement) => [
    replacement,
    await replace(step, replacement, found.get(replacement.id)),
  ]);
}

async function replace(
  step: Step,
  replacement: Replacement,
  seen: MarkedCustomer | undefined,
): Promise<Replaced> {
  const { row, id, version, fieldsAfter } = replacement;
  const { merchantId } = step;
  const mark = importMark(step.importId, row, step.kind);
  if (seen?.customer.version !== version) return explain(replacement, mark, seen, step.isFirstRun);
  const customer = nextVersion(seen.customer, fieldsAfter(seen.customer.fields));
  await step.pace(writeUnits(customer));
  let isKnown = step.isFirstRun;
  const outcome = await retryWhileThrottled(async () => {
    try {
      return await writeMarked(merchantId, customer, mark, replacement.mark);
    } catch (error) {
      isKnown = false;
      throw error;
    }
  });
  if (outcome === 'done') return { result: 'written', customer };
  isKnown &&= outcome === 'condition failed';
  const now = await retryWhileThrottled(() => getMarkedCustomers(merchantId, [id]));
  return explain(replacement, mark, now.get(id), isKnown);
}

/**
 * Returns what became of a replacement whose version is not there to be replaced. Each write raises
 * the version by 1, so that the mark of the next version says whether it is this one's.
 *
 * @param isKnown whether no earlier attempt can have written it.
 */
function explain(
  { version }: Replacement,
  mark: Uint8Array,
  found: MarkedCustomer | undefined,
  isKnown: boolean,
): Replaced {
  if (found && found.customer.version <= version + 1) {
    const isOwn = found.mark !== undefined && Buffer.compare(found.mark, mark) === 0;
    return isOwn ? { result: 'written', customer: found.customer } : { result: 'changedMeanwhile' };
  }
  return { result: isKnown ? 'changedMeanwhile' : 'unclear' };
}
