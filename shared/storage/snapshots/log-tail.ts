import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import { UNIT_BYTES } from '../customer-size.ts';
import { dynamodb, TABLE_NAME } from '../dynamodb.ts';
import { contiguousChanges } from '../log-entries.ts';
import { changeLogEntries, LAST_ID } from '../table.ts';

/** Bytes of an entry besides its changes, and of an entry that is full. */
const ENTRY_BYTES = 100;
const FULL_ENTRY_BYTES = 1_000;

/** What changed from an entry of the log on. */
export interface LogTail {
  readonly ids: ReadonlySet<number>;
  /** Number of the change after the last. */
  readonly next: number;
  /** Read units that it took, about. */
  readonly units: number;
  /** Whether it is all that changed. */
  readonly isComplete: boolean;
}

/**
 * Returns which customers changed from an entry of the log on, read consistently, up to a gap or until
 * so many read units are used.
 */
export async function readLogTail(
  merchantId: string,
  entry: number,
  maxUnits: number,
): Promise<LogTail> {
  const ids = new Set<number>();
  const maxBytes = maxUnits * UNIT_BYTES;
  let next = entry;
  let entries = 0;
  let bytes = 0;
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    const entryBytes = entries > 0 ? bytes / entries : FULL_ENTRY_BYTES;
    const { Items = [], LastEvaluatedKey } = await dynamodb.send(
      new QueryCommand({
        TableName: TABLE_NAME,
        ...changeLogEntries(merchantId, { from: entry, to: LAST_ID }),
        ConsistentRead: true,
        Limit: Math.ceil((maxBytes - bytes) / entryBytes),
        ExclusiveStartKey: startKey,
      }),
    );
    const changes = contiguousChanges(Items, next);
    for (const { id } of changes) ids.add(id);
    next += changes.length;
    entries += Items.length;
    for (const { changedIds } of Items) bytes += ENTRY_BYTES + (changedIds?.S?.length ?? 0);
    startKey = LastEvaluatedKey;
  } while (startKey && bytes < maxBytes);
  return { ids, next, units: bytes / UNIT_BYTES, isComplete: !startKey };
}
