import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

// A GetItem of the document client, and JSON.stringify.

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export async function handler({ requestContext, pathParameters }: ApiEvent) {
  const id = pathParameters?.mexcParamvaluesetsid ?? '';
  const { Item } = await documents.send(
    new GetCommand({
      TableName: process.env.TABLE_NAME,
      Key: {
        pk: `MERCHANT#${requestContext.authorizer.jwt.claims.merchant_id}`,
        sk: `CUSTOMER#${id.padStart(16, '0')}`,
      },
      ConsistentRead: true,
    }),
  );
  return { statusCode: 200, body: JSON.stringify(Item) };
}
