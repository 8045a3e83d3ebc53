import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { keyOf, PathSchema, toResponse } from './customer.ts';
import { documents, HttpError, TABLE_NAME, usualEndpoint } from './endpoint.ts';

export const handler = usualEndpoint(async ({ pathParameters }, merchant) => {
  const { mexcParamvaluesetsid: id } = PathSchema.parse(pathParameters);
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key: keyOf(merchant, id), ConsistentRead: true }),
  );
  if (!Item) throw new HttpError(404, 'There is no such customer.');
  return toResponse(Item);
});
