import { setTimeout } from 'node:timers/promises';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  DeleteCommand,
  PutCommand,
} from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../concurrency.ts';
import {
  applyChanges,
  type Customer,
  type CustomerFields,
  hasSameFields,
} from '../domain/customer.ts';
import {
  CustomerNotFoundError,
  DeletionInterruptedError,
  VersionMismatchError,
  WriteConflictError,
} from '../domain/errors.ts';
import { batchesOf, batchGet } from './batch-get.ts';
import { conditionHolds } from './conditional-write.ts';
import { toItem } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer } from './read-customer.ts';
import { customerKey, idInSortKey, KEY } from './table.ts';

/** Concurrent writers of one customer are rare, so that this many attempts are plenty. */
const MAX_UPDATE_ATTEMPTS = 20;
const MAX_BACKOFF_MS = 100;
/** Concurrent deletions of one bulk delete, and concurrent batches of its reads. */
const DELETE_CONCURRENCY = 32;
const READ_CONCURRENCY = 4;

/**
 * Changes the given fields and leaves the others as they are. Writes nothing if nothing changes.
 * Concurrent changes of different fields all survive: a write is conditional on the version that
 * was read, and is repeated from the read otherwise.
 *
 * @param isExpected whether the version may be changed (`If-Match`).
 * @throws CustomerNotFoundError
 * @throws VersionMismatchError if the version is not expected.
 * @throws WriteConflictError if other writers won each attempt, or wrote before the outcome of
 * this change was known.
 */
export async function updateCustomer(
  merchantId: string,
  id: number,
  changes: CustomerFields,
  isExpected: (version: number) => boolean,
): Promise<Customer> {
  for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt += 1) {
    const current = await getCustomer(merchantId, id);
    if (!current) throw new CustomerNotFoundError(id);
    if (!isExpected(current.version)) throw new VersionMismatchError(id);
    const fields = applyChanges(current.fields, changes);
    if (hasSameFields(fields, current.fields)) return current;
    const changed: Customer = {
      system: current.system,
      fields,
      version: current.version + 1,
      updated: nowOrLater(current.updated),
    };
    const outcome = await replaceCustomer(merchantId, changed, current.version);
    if (outcome === 'done') return changed;
    if (outcome === 'indeterminate') {
      const found = await getCustomer(merchantId, id);
      if (found?.version === changed.version && hasSameFields(found.fields, fields)) return changed;
      // A repeated write could undo what another writer has written since.
      if (!found || found.version > changed.version) throw new WriteConflictError(id);
    }
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new WriteConflictError(id);
}

/** Returns the current time, or that of another function whose clock is ahead. ISO 8601. */
function nowOrLater(time: string): string {
  const now = new Date().toISOString();
  return now > time ? now : time;
}

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
  const outcome = await removeCustomer(merchantId, id, isExpected && current.version);
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
  const existing = await existingIds(merchantId, ids);
  let deleted = 0;
  try {
    await mapConcurrently(existing, DELETE_CONCURRENCY, async (id) => {
      if ((await removeCustomer(merchantId, id)) !== 'condition failed') deleted += 1;
    });
  } catch (error) {
    if (deleted === 0) throw error;
    throw new DeletionInterruptedError(deleted, existing.length, error);
  }
  return deleted;
}

type KeysToGet = NonNullable<BatchGetCommandInput['RequestItems']>[string];

/** Returns those ids that exist, as {@link deleteCustomer} reads a customer first. */
async function existingIds(merchantId: string, ids: readonly number[]): Promise<number[]> {
  const existing: number[] = [];
  await mapConcurrently(batchesOf(ids), READ_CONCURRENCY, async (batch) => {
    const Keys = batch.map((id) => customerKey(merchantId, id));
    const keysOnly = `${KEY.partition}, ${KEY.sort}`;
    const wanted: KeysToGet = { Keys, ConsistentRead: true, ProjectionExpression: keysOnly };
    await batchGet(wanted, async (keys) => {
      const { Responses, UnprocessedKeys } = await documents.send(
        new BatchGetCommand({ RequestItems: { [TABLE_NAME]: keys } }),
      );
      const found = Responses?.[TABLE_NAME] ?? [];
      existing.push(...found.map((item) => idInSortKey(item[KEY.sort])));
      return UnprocessedKeys?.[TABLE_NAME];
    });
  });
  return existing;
}

/**
 * Outcome of a conditional write. It is `indeterminate` if the condition failed after the SDK
 * retried because a response was lost: the first attempt may have succeeded.
 */
type Outcome = 'done' | 'condition failed' | 'indeterminate';

function replaceCustomer(
  merchantId: string,
  customer: Customer,
  version: number,
): Promise<Outcome> {
  return write(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: toItem(merchantId, customer),
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': version },
    }),
  );
}

function removeCustomer(merchantId: string, id: number, version?: number): Promise<Outcome> {
  return write(
    new DeleteCommand({
      TableName: TABLE_NAME,
      Key: customerKey(merchantId, id),
      ConditionExpression: version === undefined ? 'attribute_exists(pk)' : 'version = :version',
      ...(version !== undefined && { ExpressionAttributeValues: { ':version': version } }),
    }),
  );
}

async function write(command: PutCommand | DeleteCommand): Promise<Outcome> {
  const responseWasLost = watchForLostResponses(command as DeleteCommand);
  if (await conditionHolds(documents.send(command as DeleteCommand))) return 'done';
  return responseWasLost() ? 'indeterminate' : 'condition failed';
}

/** Returns a function that says whether any attempt of the command ended without a response. */
function watchForLostResponses({ middlewareStack }: DeleteCommand): () => boolean {
  let lost = false;
  middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error) => {
        // A throttled or rejected request has changed nothing.
        lost ||= error.$fault !== 'client';
        throw error;
      }),
    // The document client adds a command's middleware twice, hence a name and `override`.
    { step: 'finalizeRequest', priority: 'low', name: 'watchForLostResponses', override: true },
  );
  return () => lost;
}
