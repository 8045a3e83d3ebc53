import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Customer, Origin } from '../domain/customer.ts';
import { WRITABLE_FIELDS } from '../domain/fields.ts';
import { derive } from '../domain/search-attributes.ts';
import type { IdRange } from './parallel-query.ts';
import { PARTITION_PREFIX } from './table.ts';

/** An item as the document client writes it. */
export type Item = Record<string, unknown>;
/** An item as the DynamoDB client reads it. */
export type RawItem = Record<string, AttributeValue>;

/** Partition of everything a merchant has. No other place builds one. */
export function partitionKey(merchant: string): string {
  return `${PARTITION_PREFIX}${merchant}`;
}

/** Key of a customer. */
export function customerKey(merchant: string, id: number) {
  return { pk: partitionKey(merchant), sk: customerSortKey(id) };
}

/** The same as the DynamoDB client takes it. */
export function rawCustomerKey(merchant: string, id: number) {
  const { pk, sk } = customerKey(merchant, id);
  return { pk: { S: pk }, sk: { S: sk } };
}

/** The part of a query that asks for the customers of a stretch of ids. */
export function customersIn(merchant: string, { from, to }: IdRange) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: partitionKey(merchant) },
      ':from': { S: customerSortKey(from) },
      ':to': { S: customerSortKey(to) },
    },
  };
}

/** Sort key of a customer. */
export function customerSortKey(id: number): string {
  return `${CUSTOMER_PREFIX}${padId(id)}`;
}

/** Id in the form in which texts order it: zero-padded to the 16 digits of 2^53. */
export function padId(id: number): string {
  return String(id).padStart(16, '0');
}

/** What every customer's sort key starts with. */
export const CUSTOMER_PREFIX = 'CUSTOMER#';

/** Key of the item that counts a merchant's ids. */
export function sequenceKey(merchant: string) {
  return { pk: partitionKey(merchant), sk: 'SEQUENCE' };
}

/** Key of the record of a request with an idempotency key, which may hold somebody's name. */
export function idempotencyKey(merchant: string, key: string) {
  const hash = createHash('sha256').update(key).digest('base64url');
  return { pk: partitionKey(merchant), sk: `IDEMPOTENCY#${hash}` };
}

/** Key of a long export's job. */
export function exportJobKey(merchant: string, id: string) {
  return { pk: partitionKey(merchant), sk: `EXPORT#${id}` };
}

/** Key of a company that a public register has told of, by its number in canonical form. */
export function companyKey(merchant: string, number: string) {
  return { pk: partitionKey(merchant), sk: `COMPANY#${number}` };
}

/** The id in a customer's sort key. */
export function idOf(sortKey: string): number {
  return Number(sortKey.slice(CUSTOMER_PREFIX.length));
}

/** A customer as it is stored: set fields under their API names, and what is derived of them. */
export function toItem(merchant: string, { origin, texts, version }: Customer): Item {
  return {
    ...customerKey(merchant, origin.mexcParamvaluesetsid),
    ...origin,
    ...texts,
    ...derive(origin, texts),
    version,
  };
}

/** The customer of an item. */
export function fromItem(item: RawItem): Customer {
  const texts: Record<string, string> = {};
  for (const { name } of WRITABLE_FIELDS) {
    const text = item[name]?.S;
    if (text !== undefined) texts[name] = text;
  }
  const { mexcParamvaluesetsid, date, mexcModulesid, mm3servicesid, version } = item;
  return {
    origin: {
      mexcParamvaluesetsid: Number(mexcParamvaluesetsid?.N),
      date: date?.S ?? '',
      ...(mexcModulesid?.N && { mexcModulesid: Number(mexcModulesid.N) }),
      ...(mm3servicesid?.N && { mm3servicesid: Number(mm3servicesid.N) }),
    } satisfies Origin,
    texts,
    version: Number(version?.N),
  };
}
