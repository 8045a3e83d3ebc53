import { mapConcurrently } from '../concurrency.ts';
import { customeridForm } from '../domain/customerid-form.ts';
import type { AppliedRow, UndoneRow } from '../domain/import.ts';
import { importMark } from '../storage/marked-customers.ts';
import { retryWhileThrottled } from '../storage/retry-while-throttled.ts';
import { removeVersion } from '../storage/write-customers.ts';
import { type Replacement, replaceFields } from './replace-fields.ts';
import { begin, type Step, type StepOptions } from './step.ts';

const CONCURRENT_REMOVALS = 16;
/** Of a deletion and the release of a claim. Large customers consume more; their creation did, too. */
const UNITS_OF_REMOVAL = 2;

type CreatedRow = Extract<AppliedRow, { readonly result: 'created' }>;

/**
 * Undoes applied rows: a step. Deletes customers that the import created, and gives those that it
 * updated the fields they had before; each only if nobody has written it since.
 *
 * May be run again, or twice at once, with the same rows.
 *
 * @param rows of which the first one identifies the step.
 * @returns a result for each row that the import has written, in order.
 * @throws UnavailableError, or a transient error, if the table stays throttled or cannot be reached. Some
 * rows may be undone then.
 */
export async function undoRows(
  merchantId: string,
  importId: string,
  rows: readonly AppliedRow[],
  options: StepOptions = {},
): Promise<UndoneRow[]> {
  const [first] = rows;
  if (!first) return [];
  const step = await begin('UNDO', merchantId, importId, first.row, options);
  const replaced = await replaceFields(
    step,
    rows.flatMap((row) => restorationOf(importId, row)),
  );
  const restored = replaced.map(
    ([{ row }, { result }]): UndoneRow => ({
      row,
      result: result === 'written' ? 'restored' : result,
    }),
  );
  const created = rows.flatMap((row) => (row.result === 'created' ? [row] : []));
  const removed = await mapConcurrently(created, CONCURRENT_REMOVALS, (row) => remove(step, row));
  return [...restored, ...removed].sort((a, b) => a.row - b.row);
}

function restorationOf(importId: string, applied: AppliedRow): Replacement[] {
  if (applied.result !== 'updated') return [];
  const { row, id, version, before } = applied;
  const mark = importMark(importId, row, 'APPLY');
  return [{ row, id, version, mark, fieldsAfter: () => before }];
}

/** Deletes a customer that the import created, if it is as it was created. */
async function remove(
  { merchantId, pace }: Step,
  { row, id, customerid }: CreatedRow,
): Promise<UndoneRow> {
  await pace(UNITS_OF_REMOVAL);
  const claimed = customerid === undefined ? undefined : customeridForm(customerid);
  const isRemoved = await retryWhileThrottled(() => removeVersion(merchantId, id, 1, claimed));
  return { row, result: isRemoved ? 'removed' : 'changedMeanwhile' };
}
