import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { BodySchema, keyOf, toResponse, withoutEmpty } from './customer.ts';
import { documents, TABLE_NAME, usualEndpoint } from './endpoint.ts';

export const handler = usualEndpoint(async ({ body }, merchant) => {
  const fields = BodySchema.parse(JSON.parse(body ?? ''));
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: { pk: `MERCHANT#${merchant}`, sk: 'SEQUENCE' },
      UpdateExpression: 'ADD lastId :one SET lastDate = :now',
      ExpressionAttributeValues: { ':one': 1, ':now': new Date().toISOString() },
      ReturnValues: 'ALL_NEW',
    }),
  );
  const id = Attributes?.lastId as number;
  const item = withoutEmpty({
    ...fields,
    mexcParamvaluesetsid: id,
    date: Attributes?.lastDate,
    version: 1,
  });
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: { ...keyOf(merchant, id), ...item },
      ConditionExpression: 'attribute_not_exists(pk)',
    }),
  );
  return toResponse(item);
});
