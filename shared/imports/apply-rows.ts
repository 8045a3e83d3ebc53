import { applyChanges, type CustomerFields } from '../domain/customer.ts';
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

interface Update extends Replacement {
  readonly changes: FieldChanges;
}

/**
 * Applies rows of a plan: a step of an import. Creates and updates customers, and writes a customer only
 * if it is as the plan saw it.
 *
 * May be run again, or twice at once, with the same rows: each is applied once, and the result says
 * what was done in any of the runs.
 *
 * @param rows of which the first one identifies the step.
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
  const replaced = await replaceFields(step, rows.flatMap(updateOf));
  const creations = rows.flatMap((row) => (row.outcome === 'create' ? [row] : []));
  const created = await createRows(step, creations, references);
  const results = [...replaced.map(resultOf), ...created];
  const byRow = new Map(results.map((result) => [result.row, result]));
  return rows.map(
    ({ row, outcome }) =>
      byRow.get(row) ?? { row, result: outcome === 'unchanged' ? outcome : 'leftOut' },
  );
}

function updateOf(planned: PlannedRow): Update[] {
  if (planned.outcome !== 'update') return [];
  const { row, id, version, changes } = planned;
  const after = valuesOf(changes, 1);
  return [{ row, id, version, changes, fieldsAfter: (fields) => applyChanges(fields, after) }];
}

function resultOf([update, replaced]: readonly [Update, Replaced]): AppliedRow {
  const { row, id, changes } = update;
  if (replaced.result !== 'written') return { row, result: replaced.result, id };
  const { version, fields } = replaced.customer;
  return {
    row,
    result: 'updated',
    id,
    version,
    before: applyChanges(fields, valuesOf(changes, 0)),
  };
}

/** Returns the values before (0) or after (1) changes. */
function valuesOf(changes: FieldChanges, index: 0 | 1): CustomerFields {
  return Object.fromEntries(Object.entries(changes).map(([name, change]) => [name, change[index]]));
}
