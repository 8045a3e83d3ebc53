import { createHmac } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerTexts, Origin } from '../domain/customer.ts';
import { Problem } from '../http/problem-details.ts';
import { idempotencyKey } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, now } from './expiry.ts';
import { TTL_ATTRIBUTE } from './table.ts';
import { addCustomer } from './write-customers.ts';

/** How long a key is remembered, in seconds. */
const LIFETIME_S = 24 * 60 * 60;

/** What is remembered of a request: enough to make, or to answer with, the same customer. */
interface IdempotencyRecord {
  readonly bodyHash: string;
  readonly origin: Origin;
  /** Whether the customer is known to have been stored. */
  readonly done?: boolean;
}

/**
 * Stores a new customer once for all requests with the same key, also when two arrive at once or
 * the first one died half-way: the first to come lays down the customer's id and time, and each
 * that follows stores just that customer, where it is not there already.
 *
 * @returns the customer as it was first stored.
 * @throws Problem 422 where the key was used with another body.
 */
export async function addCustomerOnce(
  merchant: string,
  key: string,
  customer: Customer,
): Promise<Customer> {
  const bodyHash = hash(key, customer.texts);
  const record = await claim(merchant, key, { bodyHash, origin: customer.origin });
  if (record.bodyHash !== bodyHash) {
    throw new Problem(422, 'This Idempotency-Key was used with another body.', {
      errors: [{ header: 'Idempotency-Key', detail: 'belongs to another request' }],
    });
  }
  const first: Customer = { ...customer, origin: record.origin };
  if (!record.done) {
    await addCustomer(merchant, first);
    await markDone(merchant, key);
  }
  return first;
}

/** Lays down the record, or gives the one that is there and not expired. */
async function claim(
  merchant: string,
  key: string,
  record: IdempotencyRecord,
): Promise<IdempotencyRecord> {
  const Key = idempotencyKey(merchant, key);
  try {
    await documents.send(
      new PutCommand({
        TableName: TABLE_NAME,
        Item: { ...Key, ...record, ...expiringIn(LIFETIME_S) },
        // DynamoDB deletes expired items late, so that expiry is checked here.
        ConditionExpression: `attribute_not_exists(pk) OR ${TTL_ATTRIBUTE} <= :now`,
        ExpressionAttributeValues: { ':now': now() },
      }),
    );
    return record;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key, ConsistentRead: true }),
  );
  // Deleted by DynamoDB between the two calls: it had just expired.
  return (Item as IdempotencyRecord | undefined) ?? claim(merchant, key, record);
}

async function markDone(merchant: string, key: string): Promise<void> {
  await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: idempotencyKey(merchant, key),
      UpdateExpression: 'SET done = :true',
      ExpressionAttributeValues: { ':true': true },
    }),
  );
}

/** Keyed, so that a guess of the body cannot be tried with what the table holds. */
function hash(key: string, texts: CustomerTexts): string {
  const sorted = Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(sorted)).digest('base64url');
}
