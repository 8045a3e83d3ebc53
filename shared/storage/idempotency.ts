import { createHmac } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { IdempotencyKeyReusedError } from '../domain/errors.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, idempotencyRecordKey, isExpired, nowS, TTL_ATTRIBUTE } from './table.ts';

/** How long a key is valid, in seconds. */
const LIFETIME_S = 24 * 60 * 60;

/** What a record stores of the first request: enough to return the same customer. */
interface IdempotencyRecord {
  readonly bodyHash: string;
  readonly system: SystemFields;
}

/**
 * Returns the write that records a key's customer. Its condition fails if the key is already in use.
 */
export function idempotencyPut(merchantId: string, key: string, { system, fields }: Customer) {
  const record: IdempotencyRecord = { bodyHash: hash(key, fields), system };
  return {
    TableName: TABLE_NAME,
    Item: { ...idempotencyRecordKey(merchantId, key), ...record, ...expiringIn(LIFETIME_S) },
    // DynamoDB deletes expired items late, so the expiry is checked here.
    ConditionExpression: `attribute_not_exists(pk) OR ${TTL_ATTRIBUTE} <= :now`,
    ExpressionAttributeValues: { ':now': nowS() },
  };
}

/**
 * Returns the customer that the first request with a key stored, as it was then; undefined if the
 * key is not in use.
 *
 * @throws IdempotencyKeyReusedError if the key was used with other fields.
 */
export async function findFirstCustomer(
  merchantId: string,
  key: string,
  fields: CustomerFields,
): Promise<Customer | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: idempotencyRecordKey(merchantId, key),
      ConsistentRead: true,
    }),
  );
  if (!Item || isExpired(Item)) return undefined;
  const { bodyHash, system } = Item as unknown as IdempotencyRecord;
  if (bodyHash !== hash(key, fields)) throw new IdempotencyKeyReusedError();
  return { system, fields, version: 1, updated: system.date };
}

/** Keyed, so that who reads the table cannot check a guess of the body without the key. */
function hash(key: string, fields: CustomerFields): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(sorted)).digest('base64url');
}
