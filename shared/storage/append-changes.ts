import { setTimeout } from 'node:timers/promises';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { requiredNumber } from '../environment.ts';
import { type LogHead, MARK_INTERVAL_MS, MAX_MARKS, type Mark, readHead } from './change-log.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { formatChanges, type LoggedChange, parseChanges } from './log-entries.ts';
import { changeLogEntryKey, changeLogHeadKey, expiringIn } from './table.ts';

/** Maximum changes of an entry: it then takes one write unit, 1 kB, with ids up to a million. */
const MAX_ENTRY = 100;
/** A day more than readers may rely on, for clocks and reads under way. */
const LIFETIME_S = (requiredNumber('changesDays') + 1) * 24 * 60 * 60;
/** Appends of other functions to one log, before this one gives up and its batch is retried. */
const MAX_CONFLICTS = 100;
const MAX_BACKOFF_MS = 50;

/** The ends of logs that this function has appended to, by merchant. A wrong one costs a read. */
const heads = new Map<string, LogHead>();
const MAX_HEADS = 1_000;

/**
 * Appends changes to a merchant's log, in their order. May be repeated: the log then has them twice,
 * which readers tolerate.
 *
 * An entry is put at the end of the log if nothing is there; otherwise another function was faster, or
 * was interrupted before it moved the head, and the entry goes behind that one's.
 *
 * @throws UnavailableError if others append to the same log time and again.
 */
export async function appendChanges(
  merchantId: string,
  changes: readonly LoggedChange[],
): Promise<void> {
  let head = heads.get(merchantId) ?? (await readHead(merchantId, true));
  let { nextChange } = head;
  let conflicts = 0;
  for (let done = 0; done < changes.length; ) {
    const part = changes.slice(done, done + MAX_ENTRY);
    if (await putEntry(merchantId, nextChange, part)) {
      nextChange += part.length;
      done += part.length;
      continue;
    }
    conflicts += 1;
    if (conflicts > MAX_CONFLICTS) throw new UnavailableError();
    head = await readHead(merchantId, true);
    nextChange =
      head.nextChange > nextChange
        ? head.nextChange
        : nextChange + (await lengthOfEntry(merchantId, nextChange));
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  const marks = withMark(head);
  await moveHead(merchantId, nextChange, marks);
  remember(merchantId, { nextChange, marks });
}

/** Puts an entry. Returns false if there is one already. */
function putEntry(
  merchantId: string,
  firstChange: number,
  changes: readonly LoggedChange[],
): Promise<boolean> {
  return conditionHolds(
    documents.send(
      new PutCommand({
        TableName: TABLE_NAME,
        Item: {
          ...changeLogEntryKey(merchantId, firstChange),
          changedIds: formatChanges(changes),
          recordedAt: Date.now(),
          ...expiringIn(LIFETIME_S),
        },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    ),
  );
}

async function lengthOfEntry(merchantId: string, firstChange: number): Promise<number> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: changeLogEntryKey(merchantId, firstChange),
      ConsistentRead: true,
    }),
  );
  // DynamoDB does not delete an entry while the log ends before it.
  return parseChanges(Item?.changedIds as string).length;
}

/** Moves the head forward. Another function may have moved it further. */
function moveHead(merchantId: string, nextChange: number, marks: readonly Mark[]) {
  return conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: changeLogHeadKey(merchantId),
        UpdateExpression: 'SET nextChange = :next, marks = :marks',
        ConditionExpression: 'attribute_not_exists(pk) OR nextChange < :next',
        ExpressionAttributeValues: {
          ':next': nextChange,
          ':marks': marks.map(({ nextChange, atMs }) => [nextChange, atMs]),
        },
      }),
    ),
  );
}

/** Returns the marks of a head after changes were appended to it. */
function withMark({ nextChange, marks }: LogHead): readonly Mark[] {
  const now = Date.now();
  const newest = marks.at(-1);
  if (newest && now - newest.atMs < MARK_INTERVAL_MS) return marks;
  return [...marks, { nextChange, atMs: now }].slice(-MAX_MARKS);
}

function remember(merchantId: string, head: LogHead): void {
  heads.delete(merchantId);
  heads.set(merchantId, head);
  const [oldest = ''] = heads.keys();
  if (heads.size > MAX_HEADS) heads.delete(oldest);
}
