/**
 * The table's shape: one source for the stack, the local server and the store.
 *
 * | item | pk | sk |
 * |---|---|---|
 * | customer | MERCHANT#m | CUSTOMER#id, 16 digits |
 * | id sequence | MERCHANT#m | SEQUENCE |
 * | idempotency record | MERCHANT#m | IDEMPOTENCY#hash of the key |
 * | export job | MERCHANT#m | EXPORT#id |
 * | company found in a public register | MERCHANT#m | COMPANY#number |
 */
export const KEY = { partition: 'pk', sort: 'sk' } as const;

/** What every partition key starts with; the merchant follows. */
export const PARTITION_PREFIX = 'MERCHANT#';

/** Attribute with the second (Unix time) from which an item counts as gone; DynamoDB's TTL. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** Attributes of a company found in a public register; beside the keys none is a customer's. */
export const COMPANY_ATTRIBUTES = [
  KEY.partition,
  KEY.sort,
  'company',
  'source',
  'retrieved',
  TTL_ATTRIBUTE,
] as const;

/**
 * Attributes of an export job, keys included. Functions that may write export jobs may write no
 * others; beside the keys none is a customer's.
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
  'started',
  'updated',
  TTL_ATTRIBUTE,
] as const;

/**
 * Attributes that the store derives from a customer's fields, for filters and look-ups. Their
 * stored names are short, since DynamoDB counts names in what is read: of an entry in the
 * directory, long ones were a third.
 */
export const DERIVED = {
  /** Sort key of the directory: the id, a number. Only customers have one. */
  directoryKey: 'd',
  /** Creation time in milliseconds since 1970, a number. */
  createdAt: 't',
  /** Name, customerid and companyno, folded for search. */
  nameText: 'n',
  /** Address, postcode and postoffice, folded for search. */
  addressText: 'a',
  /** Digits of companyno, where it is a number written with hyphens or spaces. */
  companyDigits: 'c',
  /** First letter of private, company or unknown. */
  kind: 'k',
  /** Present and true for customers who get e-invoices. */
  eInvoice: 'e',
  /** Present and true for customers with reverse tax. */
  reverseTaxed: 'r',
  /** Sort key of the sparse index of valid company and personal numbers, 12 digits. */
  orgNumber: 'orgNumber',
} as const;

/** Slim index that answers filters, counts and offsets without reading whole customers. */
export const DIRECTORY = {
  name: 'directory',
  sortKey: DERIVED.directoryKey,
  projected: [
    DERIVED.createdAt,
    DERIVED.nameText,
    DERIVED.addressText,
    DERIVED.companyDigits,
    DERIVED.kind,
    DERIVED.eInvoice,
    DERIVED.reverseTaxed,
  ],
} as const;

/** Sparse index that finds a customer by company or personal number; keys only. */
export const BY_ORG_NUMBER = { name: 'byOrgNumber', sortKey: DERIVED.orgNumber } as const;
