import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../customer/customer.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { customerKey, fromItem } from './items.ts';

/** The customer, read consistently: what was written is seen. */
export async function getCustomer(merchant: string, id: number): Promise<Customer | undefined> {
  const { pk, sk } = customerKey(merchant, id);
  const { Item } = await dynamodb.send(
    new GetItemCommand({
      TableName: TABLE_NAME,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ConsistentRead: true,
    }),
  );
  return Item && fromItem(Item);
}
