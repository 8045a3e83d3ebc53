import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamodb } from './dynamodb.ts';

/** For writes, where plain objects become attribute values. A function that only reads does without. */
export const documents = /* @__PURE__ */ DynamoDBDocumentClient.from(dynamodb, {
  marshallOptions: { removeUndefinedValues: true },
});
