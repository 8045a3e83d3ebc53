import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';

// The minimum of a function with clients of DynamoDB and S3: one item, and a file that it writes and reads.

const client = new DynamoDBClient({});
const s3 = new S3Client({});

export async function handler({ requestContext, pathParameters }: ApiEvent) {
  const merchant = requestContext.authorizer.jwt.claims.merchant_id;
  const id = pathParameters?.importId ?? '';
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { pk: { S: `MERCHANT#${merchant}` }, sk: { S: `IMPORT#${id}` } },
    }),
  );
  const file = { Bucket: process.env.BUCKET_NAME, Key: `imports/plan/${merchant}/${id}/bare` };
  await s3.send(new PutObjectCommand({ ...file, Body: JSON.stringify(Item) ?? '{}' }));
  const { Body } = await s3.send(new GetObjectCommand(file));
  const text = await Body?.transformToString();
  return { statusCode: 200, body: JSON.stringify({ Item, text }) };
}
