import { setTimeout } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { UnavailableError } from '../domain/errors.ts';
import { toItem } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { findFirstRequest, idempotencyPut } from './idempotency.ts';
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
        : [
            {
              Put: idempotencyPut(merchantId, idempotencyKey, fields, { system: customer.system }),
            },
          ];
    const isStored = await writeTogether([customerPut(merchantId, customer), ...record]);
    if (isStored) return customer;
    const first =
      idempotencyKey !== undefined && (await findFirstRequest(merchantId, idempotencyKey, fields));
    if (first) return unstored(first.system, fields);
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
  return unstored({ ...(await nextIds(merchantId)), ...references }, fields);
}

/** Returns a customer as it is when it is first stored. */
export function unstored(system: SystemFields, fields: CustomerFields): Customer {
  return { system, fields, version: 1, updated: system.date };
}

/** Returns the write that stores a new customer. Its condition fails if the id is in use. */
export function customerPut(merchantId: string, customer: Customer) {
  return {
    Put: {
      TableName: TABLE_NAME,
      Item: toItem(merchantId, customer),
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  } satisfies TransactionItem;
}

/**
 * Takes the merchant's next id, or the first of several, and the creation time that goes with them. Ids
 * may have gaps but are never reused. Creation times never decrease as ids increase, even if the clocks
 * of two functions differ, so that order by time is order by id.
 */
export async function nextIds(
  merchantId: string,
  count = 1,
): Promise<Pick<SystemFields, 'mexcParamvaluesetsid' | 'date'>> {
  const now = new Date().toISOString();
  try {
    return await incrementSequence(merchantId, count, now);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // Another function's clock is ahead of this one's: reuse its time.
    return await incrementSequence(merchantId, count);
  }
}

async function incrementSequence(merchantId: string, count: number, now?: string) {
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: sequenceKey(merchantId),
      UpdateExpression: now ? 'ADD lastId :count SET lastDate = :now' : 'ADD lastId :count',
      ...(now && {
        ConditionExpression: 'attribute_not_exists(lastDate) OR lastDate <= :now',
      }),
      ExpressionAttributeValues: { ':count': count, ...(now && { ':now': now }) },
      ReturnValues: 'ALL_NEW',
    }),
  );
  const mexcParamvaluesetsid = (Attributes?.lastId as number) - count + 1;
  return { mexcParamvaluesetsid, date: Attributes?.lastDate as string };
}
