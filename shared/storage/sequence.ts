import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { sequenceKey } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';

/**
 * Takes the merchant's next id together with the creation time that goes with it. A gap may
 * come about, a duplicate never. Times never fall while ids rise, also when clocks of two
 * functions differ, so that order by time is order by id.
 */
export async function nextId(merchant: string): Promise<{ id: number; date: string }> {
  const now = new Date().toISOString();
  try {
    return await add(merchant, now);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // Another function's clock is ahead of this one's: its time is taken for this customer too.
    return await add(merchant);
  }
}

async function add(merchant: string, now?: string) {
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: sequenceKey(merchant),
      UpdateExpression: now ? 'ADD lastId :one SET lastDate = :now' : 'ADD lastId :one',
      ...(now && {
        ConditionExpression: 'attribute_not_exists(lastDate) OR lastDate <= :now',
      }),
      ExpressionAttributeValues: { ':one': 1, ...(now && { ':now': now }) },
      ReturnValues: 'ALL_NEW',
    }),
  );
  return { id: Attributes?.lastId as number, date: Attributes?.lastDate as string };
}
