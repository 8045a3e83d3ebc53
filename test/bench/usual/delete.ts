import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { keyOf, PathSchema } from './customer.ts';
import { documents, HttpError, TABLE_NAME, usualEndpoint } from './endpoint.ts';

export const handler = usualEndpoint(async ({ pathParameters }, merchant) => {
  const { mexcParamvaluesetsid: id } = PathSchema.parse(pathParameters);
  try {
    await documents.send(
      new DeleteCommand({
        TableName: TABLE_NAME,
        Key: keyOf(merchant, id),
        ConditionExpression: 'attribute_exists(pk)',
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new HttpError(404, 'There is no such customer.');
  }
  return { result: 'Removed', mexcParamvaluesetsid: id };
});
