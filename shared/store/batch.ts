import { setTimeout } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Customer } from '../customer/customer.ts';
import { unavailable } from '../http/problem.ts';
import { inParallel } from '../parallel.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { customerKey, fromItem } from './items.ts';

/** DynamoDB's limit for one BatchGetItem. */
export const MAX_BATCH = 100;
const PARALLEL_BATCHES = 4;
/** Keys left over by a throttled table are asked for again, after waits that double. */
const MAX_TRIES = 7;
const FIRST_WAIT_MS = 50;

/** A customer as the DynamoDB client delivers it. */
export type RawItem = Record<string, AttributeValue>;

/** The customers with these ids, in their order, read consistently; absent ones are left out. */
export async function getCustomers(merchant: string, ids: readonly number[]): Promise<Customer[]> {
  const batches = Array.from({ length: Math.ceil(ids.length / MAX_BATCH) }, (_, index) =>
    ids.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
  );
  const items = await inParallel(batches, PARALLEL_BATCHES, (batch) => getItems(merchant, batch));
  return items.flat().map((item) => fromItem(unmarshall(item)));
}

/**
 * Items of at most {@link MAX_BATCH} customers, in the order of the ids, read consistently.
 *
 * @throws Problem 503 where the table stays throttled.
 */
export async function getItems(merchant: string, ids: readonly number[]): Promise<RawItem[]> {
  const found = new Map<string, RawItem>();
  const keys = ids.map((id) => customerKey(merchant, id));
  let wanted: KeysAndAttributes | undefined = {
    Keys: keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } })),
    ConsistentRead: true,
  };
  for (let attempt = 0; wanted?.Keys?.length; attempt += 1) {
    if (attempt === MAX_TRIES) throw unavailable();
    if (attempt > 0) await setTimeout(FIRST_WAIT_MS * 2 ** attempt * Math.random());
    const answer: BatchGetItemCommandOutput = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [TABLE_NAME]: wanted } }),
    );
    for (const item of answer.Responses?.[TABLE_NAME] ?? []) found.set(item.sk?.S ?? '', item);
    wanted = answer.UnprocessedKeys?.[TABLE_NAME];
  }
  return keys.flatMap(({ sk }) => {
    const item = found.get(sk);
    return item ? [item] : [];
  });
}
