import { type AttributeValue, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Customer, SystemFields } from '../domain/customer.ts';
import { WRITABLE_FIELDS, type WritableFieldName } from '../domain/fields.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { CLAIMED, rawCustomerKey, UPDATED_AT } from './table.ts';

/** Returns the customer, read consistently: it shows every acknowledged write. */
export async function getCustomer(merchantId: string, id: number): Promise<Customer | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({
      TableName: TABLE_NAME,
      Key: rawCustomerKey(merchantId, id),
      ConsistentRead: true,
    }),
  );
  return Item && toCustomer(Item);
}

/** Returns the customer of an item. */
export function toCustomer(item: Record<string, AttributeValue>): Customer {
  const fields: Partial<Record<WritableFieldName, string>> = {};
  for (const { name } of WRITABLE_FIELDS) {
    const value = item[name]?.S;
    if (value !== undefined) fields[name] = value;
  }
  const { mexcParamvaluesetsid, date, mexcModulesid, mm3servicesid, version } = item;
  const { [CLAIMED]: claimed } = item;
  return {
    system: {
      mexcParamvaluesetsid: Number(mexcParamvaluesetsid?.N),
      date: date?.S ?? '',
      ...(mexcModulesid?.N && { mexcModulesid: Number(mexcModulesid.N) }),
      ...(mm3servicesid?.N && { mm3servicesid: Number(mm3servicesid.N) }),
    } satisfies SystemFields,
    fields,
    version: Number(version?.N),
    updated: new Date(Number(item[UPDATED_AT]?.N)).toISOString(),
    ...(claimed && { claimed: claimed.S ?? true }),
  };
}
