import { setTimeout } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';

/** DynamoDB's limit for one BatchGetItem. */
const MAX_BATCH_SIZE = 100;
/** Unprocessed keys of a throttled table are requested again, with exponential back-off. */
const MAX_ATTEMPTS = 7;
const FIRST_BACKOFF_MS = 50;

/**
 * Sends BatchGetItem until no keys are unprocessed.
 *
 * @param send sends one request for these keys, and returns the unprocessed ones.
 * @throws UnavailableError if the table stays throttled.
 */
export async function batchGet<K extends { Keys: readonly unknown[] | undefined }>(
  keys: K,
  send: (wanted: K) => Promise<K | undefined>,
): Promise<void> {
  let wanted: K | undefined = keys;
  for (let attempt = 0; wanted?.Keys?.length; attempt += 1) {
    if (attempt === MAX_ATTEMPTS) throw new UnavailableError();
    if (attempt > 0) await setTimeout(FIRST_BACKOFF_MS * 2 ** attempt * Math.random());
    wanted = await send(wanted);
  }
}

/** Yields ids in batches of a size that one BatchGetItem takes. */
export function* batchesOf(ids: readonly number[]): Generator<number[]> {
  for (let from = 0; from < ids.length; from += MAX_BATCH_SIZE) {
    yield ids.slice(from, from + MAX_BATCH_SIZE);
  }
}

/** An item as the DynamoDB client has it. */
export type RawItem = Record<string, AttributeValue>;

/**
 * Returns the items that exist of those with these keys, at most 100, in no order.
 *
 * @param ConsistentRead false for half the price; a write of the last second can then be missing.
 * @throws UnavailableError if the table stays throttled.
 */
export async function getItems(Keys: RawItem[], ConsistentRead = true): Promise<RawItem[]> {
  const items: RawItem[] = [];
  const keys: KeysAndAttributes = { Keys, ConsistentRead };
  await batchGet(keys, async (wanted) => {
    const { Responses, UnprocessedKeys } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [TABLE_NAME]: wanted } }),
    );
    items.push(...(Responses?.[TABLE_NAME] ?? []));
    return UnprocessedKeys?.[TABLE_NAME];
  });
  return items;
}
