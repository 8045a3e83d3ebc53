import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { loggable } from '../../shared/aws-errors.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { appendChanges } from '../../shared/storage/append-changes.ts';
import type { LoggedChange, LoggedKind } from '../../shared/storage/log-entries.ts';
import { noteRecorderState } from '../../shared/storage/recorder-state.ts';
import { customerInKey, HEARTBEAT_KEY } from '../../shared/storage/table.ts';

/** Merchants whose changes are appended at a time. */
const CONCURRENCY = 8;
/** Age of a change at which it counts as recorded late: readers then do without the log. */
const LATE_MS = 60_000;
const KINDS: Readonly<Record<string, LoggedKind>> = { INSERT: 'I', MODIFY: 'M', REMOVE: 'R' };

/** Changes of a merchant in a batch. */
interface MerchantChanges {
  readonly merchantId: string;
  /** Sequence number of the first. */
  readonly sequenceNumber: string;
  readonly changes: LoggedChange[];
}

/**
 * Receives batches of the table's stream and appends which customers changed to the change logs of
 * their merchants. Notes heartbeats, and whether changes are late. If it fails for a merchant, it returns
 * the first record that is not logged, from which on Lambda retries; records that are logged twice are
 * harmless.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const failed: MerchantChanges[] = [];
  await mapConcurrently(byMerchant(Records), CONCURRENCY, async (merchant) => {
    try {
      await appendChanges(merchant.merchantId, merchant.changes);
    } catch (error) {
      failed.push(merchant);
      const { merchantId } = merchant;
      console.error({ message: 'Changes not recorded', merchant: merchantId, ...loggable(error) });
    }
  });
  await noteState(Records, failed.length > 0);
  const [first] = failed.map(({ sequenceNumber }) => sequenceNumber).toSorted(bySize);
  return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first }] };
}

/** Compares sequence numbers: up to 40 digits, which may begin with zeros. */
function bySize(a: string, b: string): number {
  return BigInt(a) < BigInt(b) ? -1 : 1;
}

/** Notes the newest heartbeat of a batch, unless part of it failed, and whether the batch is late. */
async function noteState(records: readonly DynamoDBRecord[], hasFailed: boolean): Promise<void> {
  const now = Date.now();
  const times = records.map(writtenMs);
  const isLate = hasFailed || times.some((time) => time < now - LATE_MS);
  const heartbeats = hasFailed ? [] : records.filter(isHeartbeat).map(writtenMs);
  if (!isLate && heartbeats.length === 0) return;
  try {
    await noteRecorderState({
      heartbeatMs: heartbeats.length > 0 ? Math.max(...heartbeats) : undefined,
      lateMs: isLate ? now : undefined,
    });
  } catch (error) {
    // The next batch notes it again. The records are logged, and need no retry.
    console.error({ message: 'State of the recorder not noted', ...loggable(error) });
  }
}

/** Returns when an item was written, in milliseconds since 1970; the stream has whole seconds. */
function writtenMs({ dynamodb }: DynamoDBRecord): number {
  const seconds = dynamodb?.ApproximateCreationDateTime;
  return seconds === undefined ? Date.now() : seconds * 1_000;
}

function isHeartbeat({ dynamodb }: DynamoDBRecord): boolean {
  const { pk, sk } = dynamodb?.Keys ?? {};
  return pk?.S === HEARTBEAT_KEY.pk && sk?.S === HEARTBEAT_KEY.sk;
}

/** Returns the changes of each merchant, in their order. */
function byMerchant(records: readonly DynamoDBRecord[]): MerchantChanges[] {
  const merchants = new Map<string, MerchantChanges>();
  for (const { eventName = '', dynamodb } of records) {
    const { Keys = {}, SequenceNumber: sequenceNumber = '' } = dynamodb ?? {};
    const pk = Keys.pk?.S;
    const sk = Keys.sk?.S;
    const customer = pk && sk ? customerInKey({ pk, sk }) : undefined;
    const kind = KINDS[eventName];
    // The mapping's filter lets only customers through.
    if (!customer || !kind) continue;
    const { merchantId, id } = customer;
    const merchant = merchants.get(merchantId) ?? { merchantId, sequenceNumber, changes: [] };
    merchants.set(merchantId, merchant);
    merchant.changes.push({ kind, id });
  }
  return [...merchants.values()];
}
