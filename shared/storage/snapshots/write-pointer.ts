import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionHolds } from '../condition-holds.ts';
import { documents } from '../document-client.ts';
import { TABLE_NAME } from '../dynamodb.ts';
import { snapshotKey, TTL_ATTRIBUTE } from '../table.ts';
import { SNAPSHOT_LIFETIME_MS } from './snapshot-lifetime.ts';
import type { SnapshotPointer } from './snapshot-state.ts';

/**
 * How long a claim to build keeps others from building: as long as the builder has. A completed build
 * keeps its claim, which bounds how often a merchant with many changes has one.
 */
const CLAIM_MS = 10 * 60_000;

/** The right to build a merchant's snapshot. */
export interface Claim {
  readonly merchantId: string;
  readonly untilMs: number;
}

/** Claims the right to build; returns undefined if another build has it. */
export async function claimBuild(merchantId: string): Promise<Claim | undefined> {
  const now = Date.now();
  const untilMs = now + CLAIM_MS;
  const isClaimed = await conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: snapshotKey(merchantId),
        UpdateExpression: `SET claimedUntilMs = :until, ${TTL_ATTRIBUTE} = :expires`,
        ConditionExpression: 'attribute_not_exists(claimedUntilMs) OR claimedUntilMs < :now',
        ExpressionAttributeValues: { ':until': untilMs, ':now': now, ':expires': expiresS(now) },
      }),
    ),
  );
  return isClaimed ? { merchantId, untilMs } : undefined;
}

/** Makes readers use a snapshot. Returns false if the claim has passed to another build. */
export function writePointer(
  { merchantId, untilMs }: Claim,
  pointer: SnapshotPointer,
): Promise<boolean> {
  const values = {
    snapshotKey: pointer.key,
    headBytes: pointer.headBytes,
    snapshotBytes: pointer.bytes,
    snapshotCustomers: pointer.customers,
    lastSnapshotId: pointer.lastId,
    logEntry: pointer.logEntry,
    builtMs: pointer.builtMs,
    readFromIndexMs: pointer.readFromIndexMs,
    [TTL_ATTRIBUTE]: expiresS(pointer.builtMs),
  };
  const names = Object.keys(values);
  return conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: snapshotKey(merchantId),
        UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
        ConditionExpression: 'claimedUntilMs = :claim',
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
          ':claim': untilMs,
        },
      }),
    ),
  );
}

/** Returns when an item of this time expires, in seconds since 1970. */
function expiresS(timeMs: number): number {
  return Math.ceil((timeMs + SNAPSHOT_LIFETIME_MS) / 1_000);
}
