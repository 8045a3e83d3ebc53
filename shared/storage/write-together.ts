import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { documents } from './document-client.ts';

/** Attempts to send a transaction that others conflict with. */
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 100;
/** Reasons of a cancelled transaction for which it may succeed when it is sent again. */
const TRANSIENT_REASONS = [
  'TransactionConflict',
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
];

/** A write of a transaction, or a condition. */
export type TransactionItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * Writes all items, or none.
 *
 * @param abortSignal ends the waiting; the write may still be executed.
 * @returns false if a condition failed.
 * @throws UnavailableError if other transactions have one of the items, or the table stays throttled.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
export async function writeTogether(
  TransactItems: TransactionItem[],
  abortSignal?: AbortSignal,
): Promise<boolean> {
  // The same token for each attempt: an earlier one may have succeeded without a response.
  const ClientRequestToken = randomUUID();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    try {
      await documents.send(
        new TransactWriteCommand({ TransactItems, ClientRequestToken }),
        abortSignal && { abortSignal },
      );
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const codes = error.CancellationReasons?.map(({ Code = '' }) => Code) ?? [];
      if (codes.includes('ConditionalCheckFailed')) return false;
      if (!codes.some((code) => TRANSIENT_REASONS.includes(code))) throw error;
    }
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}
