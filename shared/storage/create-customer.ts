import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { UnavailableError } from '../domain/errors.ts';
import { toItem } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { findFirstCustomer, idempotencyPut } from './idempotency.ts';
import { sequenceKey } from './table.ts';

/** Attempts to store a customer, and to send a transaction that others conflict with. */
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 100;
/** Reasons of a cancelled transaction for which it may succeed when it is sent again. */
const TRANSIENT_REASONS = [
  'TransactionConflict',
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
];

/** Module and service that a new customer belongs to. */
export type References = Pick<SystemFields, 'mexcModulesid' | 'mm3servicesid'>;

/**
 * Stores a new customer under the merchant's next id. With an idempotency key it is stored once for
 * all requests with that key within 24 hours, and each of them returns it as it was first stored.
 *
 * Customer and idempotency record are one transaction. Its token makes repeats of the request void,
 * so that one which arrives late does not bring back a customer that was deleted meanwhile.
 *
 * @throws IdempotencyKeyReusedError if the key was used with other fields.
 */
export async function createCustomer(
  merchantId: string,
  fields: CustomerFields,
  references: References,
  idempotencyKey?: string,
): Promise<Customer> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { id, date } = await nextId(merchantId);
    const system: SystemFields = { mexcParamvaluesetsid: id, date, ...references };
    const customer: Customer = { system, fields, version: 1, updated: date };
    const record =
      idempotencyKey === undefined ? [] : [idempotencyPut(merchantId, idempotencyKey, customer)];
    const isStored = await putTogether([
      {
        TableName: TABLE_NAME,
        Item: toItem(merchantId, customer),
        ConditionExpression: 'attribute_not_exists(pk)',
      },
      ...record,
    ]);
    if (isStored) return customer;
    const first =
      idempotencyKey !== undefined && (await findFirstCustomer(merchantId, idempotencyKey, fields));
    if (first) return first;
    // The id is in use, or the key has just expired.
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}

type Put = NonNullable<
  NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']>[number]['Put']
>;

/**
 * Puts all items, or none.
 *
 * @returns false if a condition failed.
 * @throws UnavailableError if other transactions have one of the items, or the table stays throttled.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
async function putTogether(puts: readonly Put[]): Promise<boolean> {
  // The same token for each attempt: an earlier one may have succeeded without a response.
  const ClientRequestToken = randomUUID();
  const TransactItems = puts.map((Put) => ({ Put }));
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    try {
      await documents.send(new TransactWriteCommand({ TransactItems, ClientRequestToken }));
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

/**
 * Takes the merchant's next id, and the creation time that goes with it. Ids may have gaps but are
 * never reused. Creation times never decrease as ids increase, even if the clocks of two functions
 * differ, so that order by time is order by id.
 */
async function nextId(merchantId: string): Promise<{ id: number; date: string }> {
  const now = new Date().toISOString();
  try {
    return await incrementSequence(merchantId, now);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // Another function's clock is ahead of this one's: reuse its time.
    return await incrementSequence(merchantId);
  }
}

async function incrementSequence(merchantId: string, now?: string) {
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: sequenceKey(merchantId),
      UpdateExpression: now ? 'ADD lastId :one SET lastDate = :now' : 'ADD lastId :one',
      ...(now && {
        ConditionExpression: 'attribute_not_exists(lastDate) OR lastDate <= :now',
      }),
      ExpressionAttributeValues: { ':one': 1, ...(now && { ':now': now }) },
      ReturnValues: 'ALL_NEW',
    }),
  );
  return { id: Attributes?.lastId as number, date: Attributes?.lastDate as string };
}
