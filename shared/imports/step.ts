import { retryWhileThrottled } from '../aws-errors.ts';
import { beginStep } from '../storage/import-records.ts';
import { type Pace, paceOf } from './pace.ts';

/**
 * Write units of the table that a step consumes in a second: half of what DynamoDB gives a partition,
 * which has all items of a merchant. The other half is for the merchant's other writers.
 */
const UNITS_PER_SECOND = 500;

/** A run of a step. If it fails, or is interrupted, the step is run again with the same rows. */
export interface Step {
  readonly merchantId: string;
  readonly importId: string;
  readonly kind: 'APPLY' | 'UNDO';
  /** Whether no other run can have written anything. */
  readonly isFirstRun: boolean;
  readonly pace: Pace;
}

/** How a step is run. */
export interface StepOptions {
  /** Write units of the table that are consumed in a second. @default 500 */
  readonly unitsPerSecond?: number | undefined;
}

/** Begins a run of a step, of the rows from the first one on. */
export async function begin(
  kind: Step['kind'],
  merchantId: string,
  importId: string,
  firstRow: number,
  { unitsPerSecond = UNITS_PER_SECOND }: StepOptions,
): Promise<Step> {
  const isFirstRun = await retryWhileThrottled(() =>
    beginStep(merchantId, importId, kind, firstRow),
  );
  return { merchantId, importId, kind, isFirstRun, pace: paceOf(unitsPerSecond) };
}
