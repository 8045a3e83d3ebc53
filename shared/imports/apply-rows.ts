import type { CustomerFields } from '../domain/customer.ts';
import type { AppliedRow, FieldChanges, PlannedRow } from '../domain/import.ts';
import type { References } from '../storage/create-customer.ts';
import { createRows } from './create-rows.ts';
import { type Replaced, type Replacement, replaceFields } from './replace-fields.ts';
import { begin, type StepOptions } from './step.ts';

/** How rows are applied. */
export interface ApplyOptions extends StepOptions {
  /** Module and service of new customers. */
  readonly references: References;
}

type Update = Extract<PlannedRow, { readonly outcome: 'update' }>;

/**
 * Applies rows of a plan: a step of an import. Creates and updates customers, and writes a customer only
 * if it is as the plan saw it.
 *
 * May be run again, or twice at once, with the same rows: each is applied once, and its result says
 * what any of the runs did.
 *
 * @param rows the same in each run; the first one identifies the step.
 * @returns a result for each row, in order.
 * @throws UnavailableError, or a transient error, if the table stays throttled or cannot be reached. Some
 * rows may be applied then.
 */
export async function applyRows(
  merchantId: string,
  importId: string,
  rows: readonly PlannedRow[],
  { references, ...options }: ApplyOptions,
): Promise<AppliedRow[]> {
  const [first] = rows;
  if (!first) return [];
  const step = await begin('APPLY', merchantId, importId, first.row, options);
  const updates = rows.filter((row) => row.outcome === 'update');
  const replaced = await replaceFields(step, updates.map(replacementOf));
  const updated = updates.map((update, index) => resultOf(update, replaced[index] as Replaced));
  const creations = rows.filter((row) => row.outcome === 'create');
  const created = await createRows(step, creations, references);
  const byRow = new Map([...updated, ...created].map((result) => [result.row, result]));
  return rows.map(
    ({ row, outcome }) =>
      byRow.get(row) ?? { row, result: outcome === 'unchanged' ? outcome : 'leftOut' },
  );
}

function replacementOf({ row, id, version, changes }: Update): Replacement {
  return { row, id, version, changes: valuesOf(changes, 1) };
}

function resultOf({ row, id, version, changes }: Update, replaced: Replaced): AppliedRow {
  return replaced === 'written'
    ? { row, result: 'updated', id, version: version + 1, before: valuesOf(changes, 0) }
    : { row, result: replaced, id };
}

/** Returns the values before (0) or after (1) changes. */
function valuesOf(changes: FieldChanges, index: 0 | 1): CustomerFields {
  return Object.fromEntries(Object.entries(changes).map(([name, change]) => [name, change[index]]));
}
