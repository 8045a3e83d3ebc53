import { createHash } from 'node:crypto';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import { batchesOf, getItems } from './batch-get.ts';
import { releaseClaim } from './claims.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer, toCustomer } from './read-customer.ts';
import { customerKey, IMPORT_MARK, rawCustomerKey } from './table.ts';
import { changedPut } from './update-customer.ts';
import { type Outcome, writeConditionally } from './write-conditionally.ts';

/*
 * An import marks the customers that it writes, so that it knows its own writes if it is interrupted, and
 * undoes no others. Others write whole items without the mark. It stands for the row as well: an import
 * does not take the write of one of its rows for that of another.
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

/** A write of a customer, with or without a mark. */
interface CustomerPut {
  readonly TableName: string;
  readonly Item: Record<string, unknown>;
  readonly ConditionExpression: string;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
}

/** Returns a write of a customer that marks it. */
export function marked(put: CustomerPut, mark: Uint8Array): CustomerPut {
  return { ...put, Item: { ...put.Item, [IMPORT_MARK]: mark } };
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
  current: Uint8Array | undefined,
): Promise<Outcome> {
  const put = marked(changedPut(merchantId, changed), mark);
  return writeConditionally(new PutCommand({ ...put, ...(current && withMark(put, current)) }));
}

/**
 * Deletes a version of a customer that has a mark, and frees the customerid that it has claimed. May be
 * repeated.
 *
 * @param claimed the claimed customerid, in its form.
 * @returns whether the customer is gone, whoever deleted it; false if it is another version.
 */
export async function removeMarked(
  merchantId: string,
  { id, version, mark, claimed }: RemovedVersion,
): Promise<boolean> {
  const deletion = {
    TableName: TABLE_NAME,
    Key: customerKey(merchantId, id),
    ConditionExpression: 'version = :version',
    ExpressionAttributeValues: { ':version': version },
  };
  const outcome = await writeConditionally(
    new DeleteCommand({ ...deletion, ...withMark(deletion, mark) }),
  );
  if (outcome !== 'done' && (await getCustomer(merchantId, id))) return false;
  // Also after another's deletion, which may have been interrupted before it has freed the claim.
  if (claimed !== undefined) await releaseClaim(merchantId, claimed, id);
  return true;
}

interface RemovedVersion {
  readonly id: number;
  readonly version: number;
  readonly mark: Uint8Array;
  readonly claimed: string | undefined;
}

/** Returns the condition of a write, and that the customer has a mark. */
function withMark(
  write: Pick<CustomerPut, 'ConditionExpression' | 'ExpressionAttributeValues'>,
  mark: Uint8Array,
) {
  return {
    ConditionExpression: `${write.ConditionExpression} AND ${IMPORT_MARK} = :mark`,
    ExpressionAttributeValues: { ...write.ExpressionAttributeValues, ':mark': mark },
  };
}
