import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { loggable } from '../../shared/aws-errors.ts';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { appendChanges } from '../../shared/storage/append-changes.ts';
import type { LoggedChange, LoggedKind } from '../../shared/storage/logged-changes.ts';
import { customerInKey } from '../../shared/storage/table.ts';

/** Merchants whose changes are appended at a time. */
const CONCURRENCY = 8;
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
 * their merchants. If it fails for a merchant, it returns the first record that is not logged, from
 * which on Lambda retries; records that are logged twice are harmless.
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
  // Sequence numbers have up to 40 digits.
  const numbers = failed.map(({ sequenceNumber }) => BigInt(sequenceNumber));
  const lowest = numbers.toSorted((a, b) => (a < b ? -1 : 1)).slice(0, 1);
  return { batchItemFailures: lowest.map((number) => ({ itemIdentifier: String(number) })) };
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
