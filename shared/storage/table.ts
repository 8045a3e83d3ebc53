import { createHash } from 'node:crypto';
import { CONCURRENT_EXPORTS } from '../domain/limits.ts';
import type { LookUpForms } from '../domain/look-up-forms.ts';
import type { SearchAttributes } from '../domain/search-attributes.ts';

/**
 * The table's layout: one source for the stack, the local server and the storage code.
 *
 * | item | pk | sk |
 * |---|---|---|
 * | customer | MERCHANT#m | CUSTOMER#id, 16 digits |
 * | id sequence | MERCHANT#m | SEQUENCE |
 * | idempotency record | MERCHANT#m | IDEMPOTENCY#hash of the key |
 * | mark of a stored chunk | MERCHANT#m | IDEMPOTENCY#hash of the key#first id of the chunk |
 * | long export | MERCHANT#m | EXPORT#id |
 * | leases of exports | MERCHANT#m | EXPORT-LEASES |
 * | running long exports | MERCHANT#m | EXPORT-RUNNING |
 * | import | MERCHANT#m | IMPORT#id |
 * | which import is being applied | MERCHANT#m | IMPORT-LOCK |
 * | result of a public register | MERCHANT#m | COMPANY#number |
 * | look-ups of a minute | MERCHANT#m | LOOK_UPS#start of the minute |
 * | entry of the change log | MERCHANT#m | CHANGES#number of its first change, 16 digits |
 * | head of the change log | MERCHANT#m | CHANGES |
 * | claim of a customerid | MERCHANT#m | CLAIM#hash of the customerid |
 * | record of an import's step | MERCHANT#m | IMPORTED#id of the import#APPLY or UNDO#first row |
 * | record of customers that an import created | MERCHANT#m | IMPORTED#id of the import#CREATE#first row |
 * | snapshot of the customer index | MERCHANT#m | SNAPSHOT |
 * | heartbeat, which goes through the stream | MERCHANT# | HEARTBEAT |
 * | state of the recorder of changes | MERCHANT# | RECORDER |
 */
export const KEY = { partition: 'pk', sort: 'sk' } as const;

/** Partition key prefix: `MERCHANT#<merchant>`. */
export const PARTITION_PREFIX = 'MERCHANT#';

/** Expiry time in seconds since 1970; DynamoDB's TTL attribute. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** Attributes of cached look-ups and their counts; none but the keys is an attribute of a customer. */
export const COMPANY_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'outcome',
  'company',
  'source',
  'retrieved',
  'lookUps',
  TTL_ATTRIBUTE,
] as const;

/** Attributes of the leases of a merchant's exports, one for each export that may run at a time. */
export const EXPORT_LEASES: readonly string[] = Array.from(
  { length: CONCURRENT_EXPORTS },
  (_, index) => `lease${index + 1}`,
);

/**
 * Attributes of export jobs and leases. Functions that may write export jobs may write no others;
 * none but the keys is an attribute of a customer.
 */
export const EXPORT_JOB_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'jobState',
  'rowsDone',
  'rowsExpected',
  'format',
  'objectKey',
  'filename',
  'contentType',
  'bytes',
  'reason',
  'changesFrom',
  'started',
  'updated',
  'runningExports',
  'revision',
  ...EXPORT_LEASES,
  TTL_ATTRIBUTE,
] as const;

/**
 * Attributes of imports and of the lock of the one being applied. Functions that may write imports may
 * write no others; none but the keys is an attribute of a customer.
 */
export const IMPORT_JOB_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'importState',
  'importOptions',
  'filename',
  'bytes',
  'sha256',
  'facts',
  'importPlan',
  'rowsDone',
  'stepsDone',
  'stepsUndone',
  'leaveOut',
  'results',
  'undone',
  'run',
  'lockedBy',
  'lockedAt',
  'started',
  'updated',
  'stalledAt',
  'usableUntil',
  'reason',
  TTL_ATTRIBUTE,
] as const;

/** Attributes of the change log; none but the keys is an attribute of a customer. */
export const CHANGE_LOG_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'changedIds',
  'recordedAt',
  'nextChange',
  'marks',
  'heartbeatMs',
  'lateMs',
  TTL_ATTRIBUTE,
] as const;

/** Attributes of the pointer to a snapshot; none but the keys is an attribute of a customer. */
export const SNAPSHOT_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'claimedUntilMs',
  'snapshotKey',
  'headBytes',
  'snapshotBytes',
  'snapshotCustomers',
  'lastSnapshotId',
  'logEntry',
  'builtMs',
  'readFromIndexMs',
  TTL_ATTRIBUTE,
] as const;

/**
 * Stored name of the time of a customer's last change, in milliseconds since 1970: half the bytes of
 * a time as text.
 */
export const UPDATED_AT = 'u';

/** Sort key of the customer index: the id, as a number. Only customers have the attribute. */
const INDEXED_ID = 'd';

/**
 * Stored names of the search attributes. DynamoDB bills names as well as values: with long names
 * an index entry was a third larger.
 */
export const STORED_NAMES = {
  createdAt: 't',
  nameText: 'n',
  addressText: 'a',
  postcodeText: 'p',
  companyText: 'c',
  /** Stored as the first letter of the kind. */
  kind: 'k',
  eInvoice: 'e',
  reverseTax: 'r',
  identityNumber: 'orgNumber',
} as const satisfies Record<keyof SearchAttributes, string>;

/**
 * Slim index of all customers by id, which answers filters, counts and offsets without reading
 * whole customers: about an eighth of their bytes.
 */
export const CUSTOMER_INDEX = {
  name: 'customerIndex',
  sortKey: INDEXED_ID,
  projected: [
    STORED_NAMES.createdAt,
    STORED_NAMES.nameText,
    STORED_NAMES.addressText,
    STORED_NAMES.postcodeText,
    STORED_NAMES.companyText,
    STORED_NAMES.kind,
    STORED_NAMES.eInvoice,
    STORED_NAMES.reverseTax,
  ],
} as const;

/** Sparse index of customers by company or personal number; keys only. */
export const IDENTITY_NUMBER_INDEX = {
  name: 'identityNumberIndex',
  sortKey: STORED_NAMES.identityNumber,
  type: 'S',
} as const;

/**
 * Sparse indexes of customers by the form of a field, keys only. Sort keys are attributes of the
 * customer and are read with it: six bytes of a hash in place of the form keep a list of 100 within
 * a read unit of what it was. Readers compare the field itself, so that hashes may collide.
 */
export const LOOK_UP_INDEXES = {
  /** Not hashed, so that customers can be sorted by it. */
  customerid: { name: 'customeridIndex', sortKey: 'i', type: 'S' },
  email: { name: 'emailIndex', sortKey: 'm', type: 'B' },
  telephone: { name: 'telephoneIndex', sortKey: 'f', type: 'B' },
  mobile: { name: 'mobileIndex', sortKey: 'o', type: 'B' },
  vatregno: { name: 'vatregnoIndex', sortKey: 'v', type: 'B' },
  glncode: { name: 'glncodeIndex', sortKey: 'g', type: 'B' },
  companyno: IDENTITY_NUMBER_INDEX,
} as const satisfies Record<keyof LookUpForms, { name: string; sortKey: string; type: 'S' | 'B' }>;

/** Names of {@link LOOK_UP_INDEXES}. */
export const LOOK_UP_INDEX_NAMES = Object.values(LOOK_UP_INDEXES).map(({ name }) => name);

/** DynamoDB's limit for the sort key of an index; a write with a longer one fails. */
const MAX_SORT_KEY_BYTES = 1_024;
/** A million values share a hash of six bytes with one in 280 million. */
const HASH_BYTES = 6;

/** Returns the sort key of a customer, with this form of a field, in the index of the field. */
export function lookUpKey(index: keyof LookUpForms, form: string): string | Uint8Array {
  if (index === 'customerid') return cutToBytes(form, MAX_SORT_KEY_BYTES);
  const hash = createHash('sha256').update(form).digest().subarray(0, HASH_BYTES);
  if (index !== 'companyno') return hash;
  // Valid numbers stay readable: they are looked up by `searchByOrgNumber` as well.
  return form.startsWith('=') ? `=${hash.toString('base64url')}` : form;
}

/** Returns a text without the characters that would make its UTF-8 longer. */
function cutToBytes(text: string, bytes: number): string {
  // At most three bytes a code unit.
  if (3 * text.length <= bytes) return text;
  const utf8 = Buffer.from(text);
  if (utf8.length <= bytes) return text;
  let end = bytes;
  // A byte 10xxxxxx continues a character.
  while (((utf8[end] as number) & 0xc0) === 0x80) end -= 1;
  return utf8.toString('utf8', 0, end);
}

/** Stored name of the customerid that a customer has claimed: true for its own one. */
export const CLAIMED = 'q';

/** Stored name of the mark of a customer that an import has written last; see `marked-customers.ts`. */
export const IMPORT_MARK = 'w';

/** Attribute of a claim: the id of the customer that owns the customerid. */
export const CLAIM_OWNER = 'owner';

/** Maximum id: JSON numbers are exact up to it. */
export const LAST_ID = Number.MAX_SAFE_INTEGER;

/** A range of ids, both ends included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** Returns the partition key of a merchant's items. */
export function partitionKey(merchantId: string): string {
  return `${PARTITION_PREFIX}${merchantId}`;
}

/** Returns the sort key of a customer, which orders customers by id. */
export function customerSortKey(id: number): string {
  return `${CUSTOMER_PREFIX}${String(id).padStart(16, '0')}`;
}

/** Returns the id in a customer's sort key. */
export function idInSortKey(sortKey = ''): number {
  return Number(sortKey.slice(CUSTOMER_PREFIX.length));
}

/** Prefix of customers' sort keys. */
export const CUSTOMER_PREFIX = 'CUSTOMER#';

/** Returns the key of a customer as the document client takes it. */
export function customerKey(merchantId: string, id: number) {
  return { pk: partitionKey(merchantId), sk: customerSortKey(id) };
}

/** Returns the key of a customer as the DynamoDB client takes it. */
export function rawCustomerKey(merchantId: string, id: number) {
  const { pk, sk } = customerKey(merchantId, id);
  return { pk: { S: pk }, sk: { S: sk } };
}

/** Returns the key condition of a query for the customers of a range of ids. */
export function customersIn(merchantId: string, { from, to }: IdRange) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: partitionKey(merchantId) },
      ':from': { S: customerSortKey(from) },
      ':to': { S: customerSortKey(to) },
    },
  };
}

/** Returns the key of the item that holds a merchant's last id. */
export function sequenceKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'SEQUENCE' };
}

/** Returns the key of an idempotency record. The key is hashed, as it may contain a name. */
export function idempotencyRecordKey(merchantId: string, idempotencyKey: string) {
  const hash = createHash('sha256').update(idempotencyKey).digest('base64url');
  return { pk: partitionKey(merchantId), sk: `IDEMPOTENCY#${hash}` };
}

/** Returns the key of the mark that a chunk of an array is stored, by the id of its first customer. */
export function storedChunkKey(merchantId: string, idempotencyKey: string, firstId: number) {
  const { pk, sk } = idempotencyRecordKey(merchantId, idempotencyKey);
  return { pk, sk: `${sk}#${firstId}` };
}

/** Returns the key of the claim of a customerid, by its form. It is hashed, as it may be a name. */
export function claimKey(merchantId: string, customerid: string) {
  const hash = createHash('sha256').update(customerid).digest('base64url');
  return { pk: partitionKey(merchantId), sk: `CLAIM#${hash}` };
}

/** Records of what an import does with rows, from a first row on. */
export type ImportRecord = 'APPLY' | 'UNDO' | 'CREATE';

/** Returns the key of a record of an import. The prefix is not that of imports, so that lists skip them. */
export function importRecordKey(
  merchantId: string,
  importId: string,
  record: ImportRecord,
  firstRow: number,
) {
  return { pk: partitionKey(merchantId), sk: `IMPORTED#${importId}#${record}#${firstRow}` };
}

/** Prefix of export jobs' sort keys. */
export const EXPORT_JOB_PREFIX = 'EXPORT#';

/** Returns the key of an export job. */
export function exportJobKey(merchantId: string, id: string) {
  return { pk: partitionKey(merchantId), sk: `${EXPORT_JOB_PREFIX}${id}` };
}

/** Returns the key of the item with the leases of a merchant's exports. */
export function exportLeasesKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'EXPORT-LEASES' };
}

/** Returns the key of the item that says which long exports of a merchant run. */
export function runningExportsKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'EXPORT-RUNNING' };
}

/** Prefix of imports' sort keys. */
export const IMPORT_JOB_PREFIX = 'IMPORT#';

/** Returns the key of an import. */
export function importJobKey(merchantId: string, id: string) {
  return { pk: partitionKey(merchantId), sk: `${IMPORT_JOB_PREFIX}${id}` };
}

/** Returns the key of the item that says which import of a merchant is being applied or undone. */
export function importLockKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'IMPORT-LOCK' };
}

/** Returns the key of a cached look-up, by its number in canonical form. */
export function companyKey(merchantId: string, number: string) {
  return { pk: partitionKey(merchantId), sk: `COMPANY#${number}` };
}

/** Returns the key of the count of a merchant's look-ups in a minute, by its start in seconds. */
export function lookUpCountKey(merchantId: string, minute: number) {
  return { pk: partitionKey(merchantId), sk: `LOOK_UPS#${minute}` };
}

/** Returns the key of the entry of the change log whose first change has this number. */
export function changeLogEntryKey(merchantId: string, firstChange: number) {
  return { pk: partitionKey(merchantId), sk: changeLogSortKey(firstChange) };
}

/** Returns the key condition of a query for the entries whose first change is in a range. */
export function changeLogEntries(merchantId: string, { from, to }: IdRange) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: partitionKey(merchantId) },
      ':from': { S: changeLogSortKey(from) },
      ':to': { S: changeLogSortKey(to) },
    },
  };
}

/** Returns the number of the first change of the entry with this sort key. */
export function firstChangeInSortKey(sortKey: string): number {
  return Number(sortKey.slice(CHANGE_LOG_PREFIX.length));
}

const CHANGE_LOG_PREFIX = 'CHANGES#';

function changeLogSortKey(firstChange: number): string {
  return `${CHANGE_LOG_PREFIX}${String(firstChange).padStart(16, '0')}`;
}

/** Returns the key of the head of a merchant's change log. */
export function changeLogHeadKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'CHANGES' };
}

/** Returns the key of the pointer to a merchant's snapshot. */
export function snapshotKey(merchantId: string) {
  return { pk: partitionKey(merchantId), sk: 'SNAPSHOT' };
}

/** Partition key of items that are no merchant's: a merchant's id is not empty. */
const OF_NO_MERCHANT = PARTITION_PREFIX;

/** Key of the item that is written each minute, so that its stream record shows whether the log is late. */
export const HEARTBEAT_KEY = { pk: OF_NO_MERCHANT, sk: 'HEARTBEAT' } as const;

/** Attribute of that item: when it was scheduled. */
export const HEARTBEAT_TIME = 'scheduled';

/** Sort key prefixes of the items whose stream records the recorder of changes gets. */
export const RECORDED_PREFIXES = [CUSTOMER_PREFIX, HEARTBEAT_KEY.sk] as const;

/** Key of the item in which the recorder of changes notes heartbeats and delays. */
export const RECORDER_KEY = { pk: OF_NO_MERCHANT, sk: 'RECORDER' } as const;

/** Returns the merchant and the id in the key of a customer; undefined for another item's key. */
export function customerInKey({ pk = '', sk = '' }: { pk?: string; sk?: string }) {
  return pk.startsWith(PARTITION_PREFIX) && sk.startsWith(CUSTOMER_PREFIX)
    ? { merchantId: pk.slice(PARTITION_PREFIX.length), id: idInSortKey(sk) }
    : undefined;
}

/** Returns the TTL attribute of an item that expires after so many seconds. */
export function expiringIn(seconds: number): { [TTL_ATTRIBUTE]: number } {
  return { [TTL_ATTRIBUTE]: nowS() + seconds };
}

/** Returns whether an item has expired: DynamoDB deletes expired items up to days late. */
export function isExpired(item: Readonly<Record<string, unknown>>): boolean {
  return (item[TTL_ATTRIBUTE] as number) <= nowS();
}

/** Returns the current time in seconds since 1970. */
export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}
