import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import type { LookUpForms } from '../domain/look-up-forms.ts';
import type { Retry } from './customer-index.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { idInSortKey, LOOK_UP_INDEXES, lookUpKey, partitionKey } from './table.ts';

/**
 * Returns the ids of customers whose field has this form, ascending; the index follows writes with
 * a delay. Reads all pages: entries of one form have no order, so that the newest can be on any.
 *
 * @param retry runs one read, and again if it fails. Default: once.
 */
export function findByForm(
  merchantId: string,
  field: keyof LookUpForms,
  form: string,
  retry?: Retry,
): Promise<number[]> {
  return findByIndexKey(merchantId, field, lookUpKey(field, form), retry);
}

/** Returns the ids of customers with this sort key in the index of a field, as {@link findByForm} does. */
export async function findByIndexKey(
  merchantId: string,
  field: keyof LookUpForms,
  key: string | Uint8Array,
  retry: Retry = (read) => read(),
): Promise<number[]> {
  const { name, sortKey } = LOOK_UP_INDEXES[field];
  const ids: number[] = [];
  let start: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const query = {
      TableName: TABLE_NAME,
      IndexName: name,
      KeyConditionExpression: `pk = :pk AND ${sortKey} = :key`,
      ExpressionAttributeValues: {
        ':pk': { S: partitionKey(merchantId) },
        ':key': typeof key === 'string' ? { S: key } : { B: key },
      },
      ProjectionExpression: 'sk',
      ...(start && { ExclusiveStartKey: start }),
    };
    const { Items = [], LastEvaluatedKey } = await retry(() =>
      dynamodb.send(new QueryCommand(query)),
    );
    for (const item of Items) ids.push(idInSortKey(item.sk?.S));
    start = LastEvaluatedKey;
  } while (start);
  return ids.sort((a, b) => a - b);
}
