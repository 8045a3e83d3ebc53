import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamodb } from './dynamodb.ts';

/**
 * Document client, which converts plain objects to attribute values. It has a module of its own
 * since it adds 6 % to the bundle of a function that only reads.
 */
export const documents = /* @__PURE__ */ DynamoDBDocumentClient.from(dynamodb, {
  marshallOptions: { removeUndefinedValues: true },
});
