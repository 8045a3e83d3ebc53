import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { LogPosition } from '../domain/changes.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { changeLogHeadKey } from './table.ts';

/**
 * The end of the log at a time at which changes were appended. All changes before it were recorded
 * earlier, and all others then or later.
 */
export interface Mark {
  readonly nextChange: number;
  /** In milliseconds since 1970. */
  readonly atMs: number;
}

/** The end of a merchant's log, and where it was some minutes ago. */
export interface LogHead {
  /** Number of the next change. An entry may exist from here on, if its writer was interrupted. */
  readonly nextChange: number;
  /** The newest last. An append adds one if the newest is {@link MARK_INTERVAL_MS} old. */
  readonly marks: readonly Mark[];
}

/** Together the marks of a busy log reach back further than {@link FIRST_LOAD_MARGIN_MS}. */
export const MARK_INTERVAL_MS = 60_000;
export const MAX_MARKS = 8;

/**
 * How far a first load starts back in the log: it may have read an index or a replica that lacked
 * changes recorded by then, and the clocks of functions differ.
 */
export const FIRST_LOAD_MARGIN_MS = 5 * 60_000;

/** Returns the head of a merchant's log; that of an empty log if there is none. */
export async function readHead(merchantId: string, isConsistent: boolean): Promise<LogHead> {
  const { pk, sk } = changeLogHeadKey(merchantId);
  const { Item } = await dynamodb.send(
    new GetItemCommand({
      TableName: TABLE_NAME,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ConsistentRead: isConsistent,
    }),
  );
  return {
    nextChange: Number(Item?.nextChange?.N ?? 0),
    marks: (Item?.marks?.L ?? []).map(({ L = [] }) => ({
      nextChange: Number(L[0]?.N),
      atMs: Number(L[1]?.N),
    })),
  };
}

/**
 * Returns the position from which to follow changes after all customers are loaded, if loading begins
 * now: some minutes back, so that it misses no change that the load may not show. Reads half a unit.
 */
export async function positionBeforeLoad(merchantId: string): Promise<LogPosition> {
  return positionAt(await readHead(merchantId, false), Date.now() - FIRST_LOAD_MARGIN_MS);
}

/** Returns a position before which every change had been recorded at a time; the latest known. */
export function positionAt({ nextChange, marks }: LogHead, timeMs: number): LogPosition {
  const after = marks.findIndex(({ atMs }) => atMs > timeMs);
  const next = marks[after]?.nextChange ?? nextChange;
  const mark = marks.at(after < 0 ? -1 : after - 1);
  // Until the interval of a mark ends, changes may be appended without another.
  return after === 0 || !mark || mark.atMs + MARK_INTERVAL_MS <= timeMs
    ? { entry: next, index: 0, sinceMs: timeMs }
    : { entry: mark.nextChange, index: 0, sinceMs: mark.atMs };
}
