import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { idsSchema, keyOf } from './customer.ts';
import { documents, TABLE_NAME, usualEndpoint } from './endpoint.ts';

const IdsSchema = idsSchema(1_000);

export const handler = usualEndpoint(async ({ body }, merchant) => {
  const ids = IdsSchema.parse(JSON.parse(body ?? ''));
  const removed = await Promise.all(ids.map((id) => remove(merchant, id)));
  return { result: 'Removed', count: removed.filter(Boolean).length };
});

async function remove(merchant: string, id: number): Promise<boolean> {
  try {
    await documents.send(
      new DeleteCommand({
        TableName: TABLE_NAME,
        Key: keyOf(merchant, id),
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
