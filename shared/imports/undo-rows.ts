import { retryWhileThrottled } from '../aws-errors.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { AppliedRow, UndoneRow } from '../domain/import.ts';
import { customeridForm } from '../domain/look-up-forms.ts';
import { importMark, removeMarked } from '../storage/marked-customers.ts';
import { type Replaced, type Replacement, replaceFields } from './replace-fields.ts';
import { begin, type Step, type StepOptions } from './step.ts';

const CONCURRENT_REMOVALS = 16;
/** Of a deletion and the release of a claim. Large customers consume more; their creation did, too. */
const UNITS_OF_REMOVAL = 2;

type CreatedRow = Extract<AppliedRow, { readonly result: 'created' }>;
type UpdatedRow = Extract<AppliedRow, { readonly result: 'updated' }>;

/**
 * Undoes applied rows: a step of undoing an import. Deletes customers that the import created, and gives those that it
 * updated the fields they had before; each only if nobody has written it since.
 *
 * May be run again, or twice at once, with the same rows.
 *
 * @param rows the same in each run; the first one identifies the step.
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
  const updated = rows.filter((row) => row.result === 'updated');
  const replaced = await replaceFields(
    step,
    updated.map((row) => restorationOf(importId, row)),
  );
  const restored = updated.map(({ row }, index): UndoneRow => {
    const result = replaced[index] as Replaced;
    return { row, result: result === 'written' ? 'restored' : result };
  });
  const created = rows.filter((row) => row.result === 'created');
  const removed = await mapConcurrently(created, CONCURRENT_REMOVALS, (row) => remove(step, row));
  return [...restored, ...removed].sort((a, b) => a.row - b.row);
}

function restorationOf(importId: string, { row, id, version, before }: UpdatedRow): Replacement {
  return { row, id, version, mark: importMark(importId, row, 'APPLY'), changes: before };
}

/** Deletes a customer that the import created, if it is as it was created. */
async function remove(
  { merchantId, importId, pace }: Step,
  { row, id, customerid }: CreatedRow,
): Promise<UndoneRow> {
  await pace(UNITS_OF_REMOVAL);
  const mark = importMark(importId, row, 'APPLY');
  const claimed = customerid === undefined ? undefined : customeridForm(customerid);
  const removed = { id, version: 1, mark, claimed };
  const isRemoved = await retryWhileThrottled(() => removeMarked(merchantId, removed));
  return { row, result: isRemoved ? 'removed' : 'changedMeanwhile' };
}
