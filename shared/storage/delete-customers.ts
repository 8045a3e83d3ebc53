import { BatchGetCommand, type BatchGetCommandInput, DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import {
  CustomerNotFoundError,
  DeletionInterruptedError,
  VersionMismatchError,
} from '../domain/errors.ts';
import { customeridForm } from '../domain/look-up-forms.ts';
import { batchesOf, batchGet } from './batch-get.ts';
import { releaseClaim } from './claims.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer } from './read-customer.ts';
import { CLAIMED, customerKey, idInSortKey, KEY } from './table.ts';
import { type Outcome, writeConditionally } from './write-conditionally.ts';

/** Concurrent deletions of one bulk delete, and concurrent batches of its reads. */
const DELETE_CONCURRENCY = 32;
const READ_CONCURRENCY = 4;

/**
 * Deletes a customer. It is read first, so that a lost response cannot make an id that never
 * existed count as deleted.
 *
 * @param isExpected whether the version may be deleted (`If-Match`).
 * @throws CustomerNotFoundError
 * @throws VersionMismatchError if the version is not expected.
 */
export async function deleteCustomer(
  merchantId: string,
  id: number,
  isExpected?: (version: number) => boolean,
): Promise<void> {
  const current = await getCustomer(merchantId, id);
  if (!current) throw new CustomerNotFoundError(id);
  if (isExpected && !isExpected(current.version)) throw new VersionMismatchError(id);
  const { claimed, fields, version } = current;
  const removable = { id, claimed, customerid: fields.customerid };
  const outcome = await removeCustomer(merchantId, removable, isExpected && version);
  if (outcome === 'done') return;
  // If the customer still exists, another writer has changed it since.
  if (isExpected && (await getCustomer(merchantId, id))) throw new VersionMismatchError(id);
  if (outcome === 'condition failed') throw new CustomerNotFoundError(id);
}

/**
 * Deletes customers; ids that do not exist are skipped. The customers are not deleted together: if
 * it fails, some of them may be deleted.
 *
 * @returns how many were deleted.
 * @throws DeletionInterruptedError if it fails after the first deletion.
 */
export async function deleteCustomers(merchantId: string, ids: readonly number[]): Promise<number> {
  const existing = await existingCustomers(merchantId, ids);
  let deleted = 0;
  try {
    await mapConcurrently(existing, DELETE_CONCURRENCY, async (customer) => {
      if ((await removeCustomer(merchantId, customer)) !== 'condition failed') deleted += 1;
    });
  } catch (error) {
    if (deleted === 0) throw error;
    throw new DeletionInterruptedError(deleted, existing.length, error);
  }
  return deleted;
}

type KeysToGet = NonNullable<BatchGetCommandInput['RequestItems']>[string];

/** What a deletion needs to know of a customer. */
interface Removable extends Pick<Customer, 'claimed'> {
  readonly id: number;
  readonly customerid: string | undefined;
}

/** Returns those customers that exist, as {@link deleteCustomer} reads a customer first. */
async function existingCustomers(merchantId: string, ids: readonly number[]): Promise<Removable[]> {
  const existing: Removable[] = [];
  await mapConcurrently(batchesOf(ids), READ_CONCURRENCY, async (batch) => {
    const Keys = batch.map((id) => customerKey(merchantId, id));
    const ProjectionExpression = [KEY.partition, KEY.sort, CLAIMED, 'customerid'].join(', ');
    const wanted: KeysToGet = { Keys, ConsistentRead: true, ProjectionExpression };
    await batchGet(wanted, async (keys) => {
      const { Responses, UnprocessedKeys } = await documents.send(
        new BatchGetCommand({ RequestItems: { [TABLE_NAME]: keys } }),
      );
      const found = Responses?.[TABLE_NAME] ?? [];
      for (const { [KEY.sort]: sortKey, [CLAIMED]: claimed, customerid } of found) {
        existing.push({ id: idInSortKey(sortKey), claimed, customerid });
      }
      return UnprocessedKeys?.[TABLE_NAME];
    });
  });
  return existing;
}

/** Deletes a customer, and then frees the customerid that it has claimed. */
async function removeCustomer(
  merchantId: string,
  { id, claimed, customerid = '' }: Removable,
  version?: number,
): Promise<Outcome> {
  const outcome = await writeConditionally(
    new DeleteCommand({
      TableName: TABLE_NAME,
      Key: customerKey(merchantId, id),
      ConditionExpression: version === undefined ? 'attribute_exists(pk)' : 'version = :version',
      ...(version !== undefined && { ExpressionAttributeValues: { ':version': version } }),
    }),
  );
  if (claimed === undefined || outcome === 'condition failed') return outcome;
  // After a lost response the customer can have been changed, and not deleted.
  if (outcome === 'done' || !(await getCustomer(merchantId, id))) {
    await releaseClaim(merchantId, claimed === true ? customeridForm(customerid) : claimed, id);
  }
  return outcome;
}
