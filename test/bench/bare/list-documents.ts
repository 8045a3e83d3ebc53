import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

// A Query of the document client, and JSON.stringify.

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export async function handler({ requestContext, queryStringParameters }: ApiEvent) {
  const { Items } = await documents.send(
    new QueryCommand({
      TableName: process.env.TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: {
        ':pk': `MERCHANT#${requestContext.authorizer.jwt.claims.merchant_id}`,
        ':prefix': 'CUSTOMER#',
      },
      ConsistentRead: true,
      Limit: Number(queryStringParameters?.limit),
    }),
  );
  return { statusCode: 200, body: JSON.stringify(Items) };
}
