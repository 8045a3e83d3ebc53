import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { BodySchema, keyOf, PathSchema, toResponse, withoutEmpty } from './customer.ts';
import { documents, HttpError, TABLE_NAME, usualEndpoint } from './endpoint.ts';

export const handler = usualEndpoint(async ({ pathParameters, body }, merchant) => {
  const { mexcParamvaluesetsid: id } = PathSchema.parse(pathParameters);
  const fields = BodySchema.parse(JSON.parse(body ?? ''));
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: keyOf(merchant, id), ConsistentRead: true }),
  );
  if (!Item) throw new HttpError(404, 'There is no such customer.');
  const changed = withoutEmpty({ ...Item, ...fields, version: Item.version + 1 });
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: changed,
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': Item.version },
    }),
  );
  return toResponse(changed);
});
