import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { retryWhileThrottled } from '../aws-errors.ts';
import type { LookUpForms } from '../domain/look-up-forms.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { idInSortKey, LOOK_UP_INDEXES, partitionKey } from './table.ts';

/** An entry of an index whose sort key is a text. */
export interface IndexKey {
  readonly key: string;
  /** Id of the customer. */
  readonly id: number;
}

/** A range of sort keys, both ends included. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

/**
 * Yields the entries of an index, page by page, by their sort keys. Half a read unit reads about 40 of
 * them, so that one pass costs less than a query for each of many keys. The index follows writes with
 * a delay.
 *
 * @param range default: all.
 */
export async function* indexKeys(
  merchantId: string,
  field: Extract<keyof LookUpForms, 'customerid' | 'companyno'>,
  range?: KeyRange,
): AsyncGenerator<IndexKey[]> {
  const { name, sortKey } = LOOK_UP_INDEXES[field];
  const inRange = range ? ` AND ${sortKey} BETWEEN :from AND :to` : '';
  let start: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const query = new QueryCommand({
      TableName: TABLE_NAME,
      IndexName: name,
      KeyConditionExpression: `pk = :pk${inRange}`,
      ExpressionAttributeValues: {
        ':pk': { S: partitionKey(merchantId) },
        ...(range && { ':from': { S: range.from }, ':to': { S: range.to } }),
      },
      ProjectionExpression: `sk, ${sortKey}`,
      ...(start && { ExclusiveStartKey: start }),
    });
    const { Items = [], LastEvaluatedKey } = await retryWhileThrottled(() => dynamodb.send(query));
    yield Items.map((item) => ({
      key: item[sortKey]?.S as string,
      id: idInSortKey(item.sk?.S),
    }));
    start = LastEvaluatedKey;
  } while (start);
}
