import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { sequenceKey } from '../../shared/storage/table.ts';

/**
 * Takes the ids of a merchant up to the last one, so that a customer that is created meanwhile gets
 * another one.
 *
 * @param date creation time of the customers.
 * @returns the first of them; undefined if the last one is in use.
 */
export async function reserveIds(
  documents: DynamoDBDocumentClient,
  table: string,
  merchantId: string,
  last: number,
  date: string,
): Promise<number | undefined> {
  try {
    const { Attributes } = await documents.send(
      new UpdateCommand({
        TableName: table,
        Key: sequenceKey(merchantId),
        UpdateExpression: 'SET lastId = :last, lastDate = :date',
        ConditionExpression: 'attribute_not_exists(lastId) OR lastId < :last',
        ExpressionAttributeValues: { ':last': last, ':date': date },
        ReturnValues: 'UPDATED_OLD',
      }),
    );
    return Number(Attributes?.lastId ?? 0) + 1;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
