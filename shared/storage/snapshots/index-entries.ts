import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Kind } from '../../domain/search-attributes.ts';
import { CUSTOMER_INDEX, idInSortKey, STORED_NAMES } from '../table.ts';
import type { IndexEntry } from './snapshot-format.ts';

const KINDS: Readonly<Record<string, Kind>> = { p: 'private', c: 'company', u: 'unknown' };

const NAMES = ['sk', ...CUSTOMER_INDEX.projected];

/** Reads of a customer what {@link toIndexEntry} needs. */
export const ENTRY_PROJECTION = {
  ProjectionExpression: NAMES.map((name) => `#${name}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(NAMES.map((name) => [`#${name}`, name])),
} as const;

/** Returns the entry of a customer, or of its entry in the customer index. */
export function toIndexEntry(item: Readonly<Record<string, AttributeValue>>): IndexEntry {
  return {
    id: idInSortKey(item.sk?.S),
    createdAt: Number(item[STORED_NAMES.createdAt]?.N),
    nameText: item[STORED_NAMES.nameText]?.S,
    addressText: item[STORED_NAMES.addressText]?.S,
    postcodeText: item[STORED_NAMES.postcodeText]?.S,
    companyText: item[STORED_NAMES.companyText]?.S,
    kind: KINDS[item[STORED_NAMES.kind]?.S ?? ''] ?? 'unknown',
    eInvoice: item[STORED_NAMES.eInvoice]?.BOOL || undefined,
    reverseTax: item[STORED_NAMES.reverseTax]?.BOOL || undefined,
  };
}
