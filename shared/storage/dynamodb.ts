import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { required } from '../environment.ts';

/** Name of the table that holds all items. */
export const TABLE_NAME = required('tableName');

/**
 * The SDK retries throttling and transient errors. With these limits its last attempt ends well
 * within the 29 seconds that a function has, so that the caller gets a 503 and not a time-out.
 */
const MAX_ATTEMPTS = 4;
const CONNECTION_TIMEOUT_MS = 1_000;
const REQUEST_TIMEOUT_MS = 4_000;

/** DynamoDB client for reads; see `document-client.ts` for writes. */
export const dynamodb = new DynamoDBClient({
  maxAttempts: MAX_ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  },
});
