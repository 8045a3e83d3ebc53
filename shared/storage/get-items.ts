import {
  type AttributeValue,
  BatchGetItemCommand,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb';
import { batchGet } from './batch-get.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';

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
