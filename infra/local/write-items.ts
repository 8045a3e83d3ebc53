import type { BatchWriteItemOutput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { requestDynamoDb } from './dynamodb-request.ts';
import type { LocalStack } from './stack.ts';

/** Header of a BatchWriteItem request with any number of items, none of which exists. */
export const NEW_ITEMS_HEADER = 'x-local-new-items';

/** Items of a request: DynamoDB's maximum, and of new ones about half a megabyte. */
const BATCH = 25;
const BATCH_OF_NEW = 500;
/** The thread of the table writes one while the next is prepared. */
const CONCURRENT_BATCHES = 2;

/**
 * Writes an item for each index below a number.
 *
 * @param areNew whether none of them exists, and the server is the local one, which then writes them faster.
 */
export async function writeItems(
  { dynamodbEndpoint, table }: Pick<LocalStack, 'dynamodbEndpoint' | 'table'>,
  count: number,
  itemOf: (index: number) => Record<string, unknown>,
  areNew: boolean,
): Promise<void> {
  const headers = areNew ? { [NEW_ITEMS_HEADER]: 'true' } : {};
  const put = async (RequestItems: object): Promise<void> => {
    const { UnprocessedItems }: BatchWriteItemOutput = await requestDynamoDb(
      dynamodbEndpoint,
      'DynamoDB_20120810.BatchWriteItem',
      { RequestItems },
      { headers },
    );
    if (UnprocessedItems?.[table]) await put(UnprocessedItems);
  };
  const size = areNew ? BATCH_OF_NEW : BATCH;
  const starts = Array.from({ length: Math.ceil(count / size) }, (_, batch) => batch * size);
  await mapConcurrently(starts, CONCURRENT_BATCHES, async (start) => {
    const puts = Array.from({ length: Math.min(size, count - start) }, (_, index) => ({
      PutRequest: { Item: toJson(itemOf(start + index)) },
    }));
    await put({ [table]: puts });
  });
}

/** Returns an item as it is in a request, which has binary values in Base64. */
function toJson(item: Record<string, unknown>): object {
  const attributes = Object.entries(marshall(item, { removeUndefinedValues: true }));
  return Object.fromEntries(
    attributes.map(([name, value]) => [
      name,
      value.B ? { B: Buffer.from(value.B).toString('base64') } : value,
    ]),
  );
}
