import { setTimeout } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { UnavailableError } from '../domain/errors.ts';
import { toItem } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { findFirstCustomer, idempotencyPut } from './idempotency.ts';
import { sequenceKey } from './table.ts';
import { type TransactionItem, writeTogether } from './write-together.ts';

/** Attempts to store a customer. */
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 100;

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
    const customer = await newCustomer(merchantId, fields, references);
    const record =
      idempotencyKey === undefined
        ? []
        : [{ Put: idempotencyPut(merchantId, idempotencyKey, customer) }];
    const isStored = await writeTogether([customerPut(merchantId, customer), ...record]);
    if (isStored) return customer;
    const first =
      idempotencyKey !== undefined && (await findFirstCustomer(merchantId, idempotencyKey, fields));
    if (first) return first;
    // The id is in use, or the key has just expired.
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}

/** Returns a customer with the merchant's next id, which is not stored yet. */
export async function newCustomer(
  merchantId: string,
  fields: CustomerFields,
  references: References,
): Promise<Customer> {
  const { id, date } = await nextId(merchantId);
  const system: SystemFields = { mexcParamvaluesetsid: id, date, ...references };
  return { system, fields, version: 1, updated: date };
}

/** Returns the write that stores a new customer. Its condition fails if the id is in use. */
export function customerPut(merchantId: string, customer: Customer): TransactionItem {
  return {
    Put: {
      TableName: TABLE_NAME,
      Item: toItem(merchantId, customer),
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  };
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
