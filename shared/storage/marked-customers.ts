import { createHash } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import { batchesOf } from './batch-get.ts';
import { getItems } from './get-items.ts';
import { toCustomer } from './read-customer.ts';
import { IMPORT_MARK, rawCustomerKey } from './table.ts';
import { type Outcome, writeConditionally } from './write-conditionally.ts';
import { changedPut } from './write-customers.ts';

/*
 * An import marks the customers that it changes, so that it knows its own writes if it is interrupted.
 * Others write whole items without the mark. It stands for the row as well: one import does not take
 * the write of another of its rows for that of this one.
 */

/** Two of a customer's marks are the same by chance with a probability of 1 in 2^64. */
const MARK_BYTES = 8;
const CONCURRENT_READS = 4;

/** A customer, with its mark if an import has written it last. */
export interface MarkedCustomer {
  readonly customer: Customer;
  readonly mark?: Uint8Array | undefined;
}

/** Returns the mark of what an import writes for a row. */
export function importMark(importId: string, row: number, step: 'APPLY' | 'UNDO'): Uint8Array {
  return createHash('sha256').update(`${importId}#${step}#${row}`).digest().subarray(0, MARK_BYTES);
}

/** Returns the customers that exist of those with these ids, read consistently, by id. */
export async function getMarkedCustomers(
  merchantId: string,
  ids: readonly number[],
): Promise<Map<number, MarkedCustomer>> {
  const found = await mapConcurrently(batchesOf(ids), CONCURRENT_READS, (batch) =>
    getItems(batch.map((id) => rawCustomerKey(merchantId, id))),
  );
  return new Map(
    found.flat().map((item) => {
      const customer = toCustomer(item);
      const mark = item[IMPORT_MARK]?.B;
      return [customer.system.mexcParamvaluesetsid, { customer, mark }];
    }),
  );
}

/**
 * Writes the next version of a customer with a mark, unless another has written it.
 *
 * @param current the mark that the customer must have, if it must have one.
 */
export function writeMarked(
  merchantId: string,
  changed: Customer,
  mark: Uint8Array,
  current?: Uint8Array,
): Promise<Outcome> {
  const put = changedPut(merchantId, changed);
  return writeConditionally(
    new PutCommand({
      ...put,
      Item: { ...put.Item, [IMPORT_MARK]: mark },
      ...(current && {
        ConditionExpression: `${put.ConditionExpression} AND ${IMPORT_MARK} = :mark`,
        ExpressionAttributeValues: { ...put.ExpressionAttributeValues, ':mark': current },
      }),
    }),
  );
}
