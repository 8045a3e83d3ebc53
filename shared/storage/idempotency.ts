import { createHmac } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { IdempotencyKeyReusedError } from '../domain/errors.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, idempotencyRecordKey, nowS, TTL_ATTRIBUTE } from './table.ts';
import { addCustomer } from './write-customers.ts';

/** How long a key is valid, in seconds. */
const LIFETIME_S = 24 * 60 * 60;

/** What a record stores of the first request: enough to create, or to return, the same customer. */
interface IdempotencyRecord {
  readonly bodyHash: string;
  readonly system: SystemFields;
  /** Whether the customer is known to be stored. */
  readonly done?: boolean;
}

/**
 * Stores a new customer once for all requests with the same key within 24 hours, even if two arrive
 * at once or the first one died half-way: the first request records the customer's id and time, and each that
 * follows stores that very customer if it does not exist yet.
 *
 * @returns the customer as it was first stored.
 * @throws IdempotencyKeyReusedError if the key was used with another body.
 */
export async function addCustomerOnce(
  merchantId: string,
  key: string,
  customer: Customer,
): Promise<Customer> {
  const bodyHash = hash(key, customer.fields);
  const record = await claimKey(merchantId, key, { bodyHash, system: customer.system });
  if (record.bodyHash !== bodyHash) throw new IdempotencyKeyReusedError();
  const first: Customer = { ...customer, system: record.system };
  if (!record.done) {
    await addCustomer(merchantId, first);
    await markDone(merchantId, key);
  }
  return first;
}

/** Stores the record, or returns the existing one if it has not expired. */
async function claimKey(
  merchantId: string,
  key: string,
  record: IdempotencyRecord,
): Promise<IdempotencyRecord> {
  const Key = idempotencyRecordKey(merchantId, key);
  try {
    await documents.send(
      new PutCommand({
        TableName: TABLE_NAME,
        Item: { ...Key, ...record, ...expiringIn(LIFETIME_S) },
        // DynamoDB deletes expired items late, so the expiry is checked here.
        ConditionExpression: `attribute_not_exists(pk) OR ${TTL_ATTRIBUTE} <= :now`,
        ExpressionAttributeValues: { ':now': nowS() },
      }),
    );
    return record;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
  const { Item } = await documents.send(
    new GetCommand({ TableName: TABLE_NAME, Key, ConsistentRead: true }),
  );
  // It may have expired, and DynamoDB deleted it, between the two calls.
  return (Item as IdempotencyRecord | undefined) ?? claimKey(merchantId, key, record);
}

async function markDone(merchantId: string, key: string): Promise<void> {
  await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: idempotencyRecordKey(merchantId, key),
      UpdateExpression: 'SET done = :true',
      ExpressionAttributeValues: { ':true': true },
    }),
  );
}

/** Keyed, so that who reads the table cannot check a guess of the body without the key. */
function hash(key: string, fields: CustomerFields): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(sorted)).digest('base64url');
}
