import { marshall } from '@aws-sdk/util-dynamodb';
import { sequenceKey } from '../../shared/storage/table.ts';
import { requestDynamoDb } from './dynamodb-request.ts';
import type { LocalStack } from './stack.ts';

/**
 * Takes the ids of a merchant up to the last one, so that a customer that is created meanwhile gets
 * another one.
 *
 * @param date creation time of the customers.
 * @returns the first of them; undefined if the last one is in use.
 */
export async function reserveIds(
  { dynamodbEndpoint, table }: Pick<LocalStack, 'dynamodbEndpoint' | 'table'>,
  merchantId: string,
  last: number,
  date: string,
): Promise<number | undefined> {
  try {
    const { Attributes } = await requestDynamoDb(dynamodbEndpoint, 'DynamoDB_20120810.UpdateItem', {
      TableName: table,
      Key: marshall(sequenceKey(merchantId)),
      UpdateExpression: 'SET lastId = :last, lastDate = :date',
      ConditionExpression: 'attribute_not_exists(lastId) OR lastId < :last',
      ExpressionAttributeValues: marshall({ ':last': last, ':date': date }),
      ReturnValues: 'UPDATED_OLD',
    });
    return Number(Attributes?.lastId?.N ?? 0) + 1;
  } catch (error) {
    if ((error as Error).name === 'ConditionalCheckFailedException') return undefined;
    throw error;
  }
}
