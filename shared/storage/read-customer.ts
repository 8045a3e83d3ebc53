import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../domain/customer.ts';
import { fromItem, rawCustomerKey } from './customer-item.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';

/** The customer, read consistently: what was written is seen. */
export async function getCustomer(merchant: string, id: number): Promise<Customer | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({
      TableName: TABLE_NAME,
      Key: rawCustomerKey(merchant, id),
      ConsistentRead: true,
    }),
  );
  return Item && fromItem(Item);
}
