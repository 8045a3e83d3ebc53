import { type AttributeValue, BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import { dynamodb, TABLE_NAME } from '../dynamodb.ts';
import { changeLogHeadKey, RECORDER_KEY, snapshotKey } from '../table.ts';
import { SNAPSHOT_LIFETIME_MS } from './snapshot-lifetime.ts';

/**
 * How late the change log may be. Heartbeats come each minute; the schedule may be a minute late.
 */
const MAX_LOG_DELAY_MS = 3 * 60_000;

/** A snapshot's file, and what it has. */
export interface SnapshotPointer {
  readonly key: string;
  readonly headBytes: number;
  readonly bytes: number;
  readonly customers: number;
  /** Customers with higher ids are not in it. */
  readonly lastId: number;
  /** Entry of the change log before which all changes are in it. */
  readonly logEntry: number;
  /** When building began, in milliseconds since 1970. */
  readonly builtMs: number;
  /** The same of the snapshot that was read from the index, which this one continues. */
  readonly readFromIndexMs: number;
}

/** What there is for a merchant's searches besides the index. */
export interface SnapshotState {
  /** Undefined if there is none, or it is too old. */
  readonly pointer: SnapshotPointer | undefined;
  /**
   * Whether the change log has what changed up to some minutes ago. Not known without heartbeats, which
   * come for as long as there are snapshots.
   */
  readonly isLogCurrent: boolean;
  /** Number of the next change of the log, or a lower one. */
  readonly nextChange: number;
  /** Whether nobody builds a snapshot, or has done so lately. */
  readonly mayBuild: boolean;
}

/** Returns the state, read together: one and a half units. What could not be read is taken as missing. */
export async function readSnapshotState(merchantId: string): Promise<SnapshotState> {
  const keys = [snapshotKey(merchantId), changeLogHeadKey(merchantId), RECORDER_KEY];
  const { Responses } = await dynamodb.send(
    new BatchGetItemCommand({
      RequestItems: {
        [TABLE_NAME]: { Keys: keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } })) },
      },
    }),
  );
  const items = Responses?.[TABLE_NAME] ?? [];
  const [snapshot, head, recorder] = keys.map(({ pk, sk }) =>
    items.find((item) => item.pk?.S === pk && item.sk?.S === sk),
  );
  const now = Date.now();
  const pointer = snapshot?.snapshotKey && toPointer(snapshot);
  return {
    pointer: pointer && pointer.builtMs > now - SNAPSHOT_LIFETIME_MS ? pointer : undefined,
    isLogCurrent:
      numberOf(recorder?.heartbeatMs) >= now - MAX_LOG_DELAY_MS &&
      numberOf(recorder?.lateMs) < now - MAX_LOG_DELAY_MS,
    nextChange: numberOf(head?.nextChange),
    mayBuild: numberOf(snapshot?.claimedUntilMs) < now,
  };
}

function toPointer(item: Record<string, AttributeValue>): SnapshotPointer {
  return {
    key: item.snapshotKey?.S ?? '',
    headBytes: numberOf(item.headBytes),
    bytes: numberOf(item.snapshotBytes),
    customers: numberOf(item.snapshotCustomers),
    lastId: numberOf(item.lastSnapshotId),
    logEntry: numberOf(item.logEntry),
    builtMs: numberOf(item.builtMs),
    readFromIndexMs: numberOf(item.readFromIndexMs),
  };
}

function numberOf(value: AttributeValue | undefined): number {
  return Number(value?.N ?? 0);
}
