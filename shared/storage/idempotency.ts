import { createHmac } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { CustomerFields, SystemFields } from '../domain/customer.ts';
import { IdempotencyKeyReusedError } from '../domain/errors.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import {
  expiringIn,
  idempotencyRecordKey,
  isExpired,
  KEY,
  nowS,
  storedChunkKey,
  TTL_ATTRIBUTE,
} from './table.ts';

/** How long a key is valid, in seconds. */
const LIFETIME_S = 24 * 60 * 60;
/** Marks outlive the record, also if a request finds it just before it expires. */
const MARK_LIFETIME_S = LIFETIME_S + 60 * 60;

/** Fields of one new customer, or of several. */
type Body = CustomerFields | readonly CustomerFields[];

/** What a record stores of the first request: enough to return the same customers. */
interface FirstRequest {
  /** Of the first customer; the ids of others follow its id. */
  readonly system: SystemFields;
  /** Numbers of customers that are stored together, in order. Only of an array. */
  readonly chunkSizes?: readonly number[] | undefined;
}

interface IdempotencyRecord extends FirstRequest {
  readonly bodyHash: string;
}

/**
 * Returns the write that records a key's request. Its condition fails if the key is already in use.
 */
export function idempotencyPut(
  merchantId: string,
  key: string,
  body: Body,
  { system, chunkSizes }: FirstRequest,
) {
  const record: IdempotencyRecord = { bodyHash: hash(key, body), system, chunkSizes };
  return {
    TableName: TABLE_NAME,
    Item: { ...idempotencyRecordKey(merchantId, key), ...record, ...expiringIn(LIFETIME_S) },
    // DynamoDB deletes expired items late, so the expiry is checked here.
    ConditionExpression: `attribute_not_exists(pk) OR ${TTL_ATTRIBUTE} <= :now`,
    ExpressionAttributeValues: { ':now': nowS() },
  };
}

/**
 * Returns the first request with a key; undefined if the key is not in use.
 *
 * @throws IdempotencyKeyReusedError if the key was used with another body.
 */
export async function findFirstRequest(
  merchantId: string,
  key: string,
  body: Body,
): Promise<FirstRequest | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: idempotencyRecordKey(merchantId, key),
      ConsistentRead: true,
    }),
  );
  if (!Item || isExpired(Item)) return undefined;
  const { bodyHash, ...first } = Item as IdempotencyRecord;
  if (bodyHash !== hash(key, body)) throw new IdempotencyKeyReusedError();
  return first;
}

/**
 * Returns the write that marks a chunk of an array as stored. Its condition fails if it is marked.
 *
 * @param firstId id of the chunk's first customer.
 */
export function storedChunkPut(merchantId: string, key: string, firstId: number) {
  return {
    TableName: TABLE_NAME,
    Item: { ...storedChunkKey(merchantId, key, firstId), ...expiringIn(MARK_LIFETIME_S) },
    // Ids are not used again, so that a mark that has expired is of this chunk all the same.
    ConditionExpression: 'attribute_not_exists(pk)',
  };
}

/** Returns whether a chunk of an array is marked as stored. */
export async function isChunkStored(
  merchantId: string,
  key: string,
  firstId: number,
): Promise<boolean> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: storedChunkKey(merchantId, key, firstId),
      ConsistentRead: true,
      ProjectionExpression: KEY.partition,
    }),
  );
  return Item !== undefined;
}

/** Keyed, so that who reads the table cannot check a guess of the body without the key. */
function hash(key: string, body: Body): string {
  const sorted = (fields: CustomerFields) =>
    Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  // One more pair of brackets tells an array of one customer from the customer.
  const text = JSON.stringify(
    Array.isArray(body) ? body.map(sorted) : sorted(body as CustomerFields),
  );
  return createHmac('sha256', key).update(text).digest('base64url');
}
