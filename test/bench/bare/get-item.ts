import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

// The minimum of a function with a DynamoDB client: one GetItem, returned as it is.

const client = new DynamoDBClient({});

export async function handler({ requestContext, pathParameters }: ApiEvent) {
  const id = pathParameters?.mexcParamvaluesetsid ?? '1';
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: {
        pk: { S: `MERCHANT#${requestContext.authorizer.jwt.claims.merchant_id}` },
        sk: { S: `CUSTOMER#${id.padStart(16, '0')}` },
      },
    }),
  );
  return { statusCode: 200, body: JSON.stringify(Item) };
}
