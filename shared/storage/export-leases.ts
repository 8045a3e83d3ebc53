import { randomUUID } from 'node:crypto';
import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { RateLimitError, UnavailableError } from '../domain/errors.ts';
import { CONCURRENT_EXPORTS } from '../domain/limits.ts';
import { conditionHolds } from './condition-holds.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { EXPORT_LEASES, exportLeasesKey, nowS, TTL_ATTRIBUTE } from './table.ts';

// Uses DynamoDB's own client, since most functions that export do without the document client.

/** A little longer than a function's 29 seconds, so that the lease of a crashed one expires. */
const LEASE_MS = 35_000;
/** How long an item is kept that no export writes, in seconds. */
const ITEM_LIFETIME_S = 24 * 60 * 60;
/** When to retry if all leases are taken. */
const RETRY_AFTER_S = 5;
/** Attempts to take a lease: each that fails means that another export took one. */
const MAX_ATTEMPTS = 10;

/** A merchant's right to run one export. */
export interface ExportLease {
  /** Attribute of the item. */
  readonly name: string;
  /** Expiry time in ISO 8601 and a UUID, so that values compare by time and are unique. */
  readonly value: string;
}

/**
 * Takes one of the merchant's leases. It expires by itself if it is not released.
 *
 * @throws RateLimitError if all are taken.
 */
export async function takeExportLease(merchantId: string): Promise<ExportLease> {
  const value = `${new Date(Date.now() + LEASE_MS).toISOString()}/${randomUUID()}`;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const values = await readLeases(merchantId);
    // The SDK's retry of a write whose response was lost fails, although the lease is taken.
    const taken = EXPORT_LEASES.find((name) => values[name] === value);
    if (taken) return { name: taken, value };
    const now = new Date().toISOString();
    const free = EXPORT_LEASES.filter((name) => (values[name] as string) <= now);
    const name = free[Math.floor(Math.random() * free.length)];
    if (name === undefined) {
      throw new RateLimitError(
        `${CONCURRENT_EXPORTS} slow exports of yours are running, and no more may run at a time. Wait for one to end.`,
        RETRY_AFTER_S,
      );
    }
    const condition = 'attribute_not_exists(#lease) OR #lease <= :expected';
    if (await writeLease(merchantId, { name, value }, condition, now)) return { name, value };
  }
  throw new UnavailableError();
}

/** Releases a lease, unless it has expired and another export has it. */
export async function releaseExportLease(
  merchantId: string,
  { name, value }: ExportLease,
): Promise<void> {
  await writeLease(merchantId, { name, value: '' }, '#lease = :expected', value);
}

function keyOf(merchantId: string) {
  const { pk, sk } = exportLeasesKey(merchantId);
  return { pk: { S: pk }, sk: { S: sk } };
}

async function readLeases(merchantId: string): Promise<Readonly<Record<string, string>>> {
  const { Item = {} } = await dynamodb.send(
    new GetItemCommand({ TableName: TABLE_NAME, Key: keyOf(merchantId), ConsistentRead: true }),
  );
  return Object.fromEntries(EXPORT_LEASES.map((name) => [name, Item[name]?.S ?? '']));
}

/** Returns whether the condition held. */
async function writeLease(
  merchantId: string,
  { name, value }: ExportLease,
  condition: string,
  expected: string,
): Promise<boolean> {
  return conditionHolds(
    dynamodb.send(
      new UpdateItemCommand({
        TableName: TABLE_NAME,
        Key: keyOf(merchantId),
        UpdateExpression: 'SET #lease = :value, #expiresAt = :expiresAt',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#lease': name, '#expiresAt': TTL_ATTRIBUTE },
        ExpressionAttributeValues: {
          ':value': { S: value },
          ':expected': { S: expected },
          ':expiresAt': { N: String(nowS() + ITEM_LIFETIME_S) },
        },
      }),
    ),
  );
}
