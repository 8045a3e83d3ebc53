import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { documents, TABLE_NAME } from './client.ts';
import { countSelected } from './directory.ts';
import { CUSTOMER_PREFIX, idOf, partitionKey } from './items.ts';

/**
 * About how many customers are selected. The last id bounds it, and costs a single item; only
 * where that is more than `enough` are customers counted who must meet filters.
 *
 * @param enough up to how many it does not matter whether there are fewer.
 * @returns never too few, beside what was written within the last second.
 */
export async function estimateSelected(
  merchant: string,
  selection: Selection,
  enough: number,
): Promise<number> {
  const most = await lastCustomerId(merchant);
  return most <= enough || isEveryone(selection) ? most : countSelected(merchant, selection);
}

/** The highest id in use; 0 where there is no customer. */
async function lastCustomerId(merchant: string): Promise<number> {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': partitionKey(merchant), ':prefix': CUSTOMER_PREFIX },
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return Items[0] ? idOf(Items[0].sk) : 0;
}
