import { setTimeout } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { inParallel } from '../concurrency.ts';
import { type Customer, type CustomerTexts, haveSame, merge } from '../domain/customer.ts';
import { customerNotFound, Problem, unavailable } from '../http/problem-details.ts';
import { customerKey, toItem } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer } from './read-customer.ts';

/** Writers of one customer that get in each other's way are rare; this many tries are plenty. */
const MAX_UPDATE_TRIES = 20;
const MAX_WAIT_MS = 100;
/** Deletions under way at once. */
const PARALLEL_DELETES = 32;

/**
 * Stores a new customer.
 *
 * @returns false where its id is in use already; nothing is changed then.
 */
export async function addCustomer(merchant: string, customer: Customer): Promise<boolean> {
  return ifConditionHolds(
    documents.send(
      new PutCommand({
        TableName: TABLE_NAME,
        Item: toItem(merchant, customer),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  );
}

/**
 * Changes the texts that are given and leaves the others as they are; where that changes nothing,
 * nothing is written. Of two changes at once both survive: a write holds only for the version that
 * was read, and is made again otherwise.
 *
 * @param isExpected says whether the version may be changed (`If-Match`).
 * @throws Problem 404 where there is no such customer, 412 where its version is not expected,
 * 503 where other writers were faster time and again, or wrote before it was known whether this
 * change had been made.
 */
export async function updateCustomer(
  merchant: string,
  id: number,
  changes: CustomerTexts,
  isExpected: (version: number) => boolean,
): Promise<Customer> {
  for (let attempt = 0; attempt < MAX_UPDATE_TRIES; attempt += 1) {
    const current = await getCustomer(merchant, id);
    if (!current) throw customerNotFound(id);
    if (!isExpected(current.version)) throw stale(id);
    const texts = merge(current.texts, changes);
    if (haveSame(texts, current.texts)) return current;
    const changed: Customer = { origin: current.origin, texts, version: current.version + 1 };
    const outcome = await replaceCustomer(merchant, changed, current.version);
    if (outcome === 'done') return changed;
    if (outcome === 'unheard') {
      const found = await getCustomer(merchant, id);
      if (found?.version === changed.version && haveSame(found.texts, texts)) return changed;
      // Made again, it could undo what another has written upon it.
      if (!found || found.version > changed.version) throw beingChanged(id);
    }
    await setTimeout(Math.random() * MAX_WAIT_MS);
  }
  throw beingChanged(id);
}

/**
 * Removes a customer.
 *
 * @param isExpected says whether the version may be removed (`If-Match`).
 * @throws Problem 404 where there is no such customer, 412 where its version is not expected.
 */
export async function deleteCustomer(
  merchant: string,
  id: number,
  isExpected?: (version: number) => boolean,
): Promise<void> {
  if (!isExpected) {
    if ((await removeCustomer(merchant, id)) === 'refused') throw customerNotFound(id);
    return;
  }
  const current = await getCustomer(merchant, id);
  if (!current) throw customerNotFound(id);
  if (!isExpected(current.version)) throw stale(id);
  const outcome = await removeCustomer(merchant, id, current.version);
  if (outcome === 'done') return;
  // Whether refused or unheard: what is still there has been changed by another.
  if (await getCustomer(merchant, id)) throw stale(id);
  if (outcome === 'refused') throw customerNotFound(id);
}

/**
 * Removes customers; ids that do not exist are passed over.
 *
 * @returns how many were removed.
 */
export async function deleteCustomers(merchant: string, ids: readonly number[]): Promise<number> {
  const outcomes = await inParallel(ids, PARALLEL_DELETES, (id) => removeCustomer(merchant, id));
  return outcomes.filter((outcome) => outcome !== 'refused').length;
}

/**
 * What became of a write: `unheard` where its condition does not hold, but the SDK had to try
 * again because an answer was lost, and the try before may have been made.
 */
type Outcome = 'done' | 'refused' | 'unheard';

function replaceCustomer(merchant: string, customer: Customer, version: number): Promise<Outcome> {
  return write(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: toItem(merchant, customer),
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': version },
    }),
  );
}

function removeCustomer(merchant: string, id: number, version?: number): Promise<Outcome> {
  return write(
    new DeleteCommand({
      TableName: TABLE_NAME,
      Key: customerKey(merchant, id),
      ConditionExpression: version === undefined ? 'attribute_exists(pk)' : 'version = :version',
      ...(version !== undefined && { ExpressionAttributeValues: { ':version': version } }),
    }),
  );
}

async function write(command: PutCommand | DeleteCommand): Promise<Outcome> {
  const wasLost = watchForLostAnswers(command as DeleteCommand);
  if (await ifConditionHolds(documents.send(command as DeleteCommand))) return 'done';
  return wasLost() ? 'unheard' : 'refused';
}

/** Tells afterwards whether any try of a command ended without word of what became of it. */
function watchForLostAnswers({ middlewareStack }: DeleteCommand): () => boolean {
  let lost = false;
  middlewareStack.add(
    (next) => (args) =>
      next(args).catch((error) => {
        // A throttled or refused request has done nothing.
        lost ||= error.$fault !== 'client';
        throw error;
      }),
    // The document client joins a command's middleware in twice, hence a name and `override`.
    { step: 'finalizeRequest', priority: 'low', name: 'watchForLostAnswers', override: true },
  );
  return () => lost;
}

function beingChanged(id: number): Problem {
  return unavailable(`Customer ${id} is being changed by many at once.`);
}

function stale(id: number): Problem {
  return new Problem(412, `Customer ${id} has been changed since; get it and try again.`, {
    errors: [{ header: 'If-Match', detail: 'is not the current entity tag' }],
  });
}

async function ifConditionHolds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
