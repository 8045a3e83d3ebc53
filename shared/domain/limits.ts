// Limits that callers meet, which documents and tests compare. Some of one endpoint are in its contract.

/** Maximum texts of one search; each costs a comparison with every customer. */
export const MAX_SEARCH_TEXTS = 10;
/** Maximum characters (Unicode code points) of a text that is searched for. */
export const MAX_SEARCH_LENGTH = 255;

/** Maximum values of one field that are looked up at once; each costs half a read unit. */
export const MAX_LOOK_UP_VALUES = 100;

/** Maximum customers that one request creates. */
export const MAX_CUSTOMERS_CREATED = 500;

/** Maximum ids that an error names of customers with one customerid. */
export const MAX_DUPLICATES_NAMED = 100;

/** Maximum ids of one export by id. */
export const MAX_IDS_EXPORTED = 10_000;

/**
 * Maximum estimated rows of an export that completes while its caller waits, by default. A row that
 * costs more read units than a customer of 1 kB counts as several.
 */
export const LONG_EXPORT_ROWS = 100_000;
/** Days for which companies of public registers are cached, by default. */
export const COMPANY_CACHE_DAYS = 30;
/** How long it is cached that a public register has no company with a number, in seconds. */
export const NO_COMPANY_LIFETIME_S = 10 * 60;
/** Maximum look-ups of a merchant in public registers in a minute; cached results do not count. */
export const MAX_LOOK_UPS_PER_MINUTE = 60;

/** How long the presigned URL of an export is valid, in seconds. */
export const EXPORT_URL_LIFETIME_S = 15 * 60;
/** Maximum exports of a merchant that run while their callers wait. */
export const CONCURRENT_EXPORTS = 5;
/** Maximum long exports of a merchant that run in the background. */
export const CONCURRENT_LONG_EXPORTS = 3;
/**
 * Seconds without progress after which a long export has failed, and an import in the background has
 * stopped: the 15 minutes of a run that hangs, and up to 9 minutes for the attempts of one step and the
 * waits between them, with room.
 */
export const WORK_STALLED_S = 30 * 60;
/** Maximum long exports in their list. */
export const LISTED_EXPORTS = 100;
/** How long a long export's status and file are kept after its last update, in seconds. */
export const EXPORT_JOB_LIFETIME_S = 24 * 60 * 60;
/** Seconds after which to poll a running export again. */
export const EXPORT_POLL_S = 2;

/** Maximum bytes of a response: Lambda's limit of 6 MB, less room for the envelope around the body. */
export const MAX_RESPONSE_BYTES = 6 * 1024 * 1024 - 16_384;

/** Days for which changes can be read, by default. */
export const CHANGES_DAYS = 90;
/** Default and maximum changes of a page. */
export const DEFAULT_CHANGES = 100;
export const MAX_CHANGES = 1_000;

/**
 * Highest id of a merchant from which on searches and counts read a snapshot of the customer index, by
 * default. Below it the index costs less than 350 read units.
 */
export const SNAPSHOT_FROM_ID = 20_000;

/** Default and maximum parts of a digest. */
export const DIGEST_PARTS = 16;
export const MAX_DIGEST_PARTS = 256;
/** Maximum ids of a part of a digest, and customers after which a call ends with the part. */
export const MAX_DIGEST_PART = 200_000;

/** Maximum customers that match a list sorted by name or customerid: each page sorts them all. */
export const MAX_SORTED_BY_TEXT = 20_000;
/** The same of a list sorted by the time of the last change, for which each page reads them. */
export const MAX_SORTED_BY_UPDATED = 10_000;

/** Maximum bytes of a file that is imported. */
export const MAX_IMPORT_BYTES = 256 * 1024 * 1024;
/** Maximum rows of a file that is imported, its headings left out. */
export const MAX_IMPORT_ROWS = 1_000_000;
/** Maximum columns of a file that is imported. */
export const MAX_IMPORT_COLUMNS = 200;
/** Maximum bytes of a row, and UTF-16 code units of a cell, of a file that is imported. */
export const MAX_IMPORT_ROW_BYTES = 1024 * 1024;
export const MAX_IMPORT_CELL_LENGTH = 40_000;
/**
 * Limits of the ZIP archive that an XLSX file is: entries, bytes of all entries inflated, and how
 * many times larger than packed an entry may be once {@link MAX_IMPORT_RATIO_AFTER} bytes are
 * inflated. Files of our own exports inflate 15-fold.
 */
export const MAX_IMPORT_ZIP_ENTRIES = 1_000;
export const MAX_IMPORT_INFLATED_BYTES = 4 * 1024 * 1024 * 1024;
export const MAX_IMPORT_RATIO = 200;
export const MAX_IMPORT_RATIO_AFTER = 10_000_000;
/** Maximum bytes of the texts that cells of an XLSX file share, as XML; they are held in memory. */
export const MAX_IMPORT_SHARED_BYTES = 200_000_000;
/**
 * Maximum UTF-16 code units of all cells of an XLSX file, in each of which a shared text counts: a file of
 * 3 MB could have a terabyte.
 */
export const MAX_IMPORT_TEXT_LENGTH = 4 * MAX_IMPORT_BYTES;

/** Maximum bytes and rows of an import that is planned while its caller waits. */
export const MAX_BYTES_PLANNED_IN_CALL = 1_048_576;
export const MAX_ROWS_PLANNED_IN_CALL = 1_000;
/** Milliseconds after which it is planned in the background: its customers can be large, or DynamoDB slow. */
export const MAX_PLANNING_IN_CALL_MS = 15_000;
/**
 * Maximum customers that an import creates and updates while its caller waits, and write units of the
 * table: an import consumes 500 a second, and API Gateway waits for 30 seconds.
 */
export const MAX_ROWS_APPLIED_IN_CALL = 500;
export const MAX_WRITE_UNITS_IN_CALL = 5_000;
/** Maximum imports of a merchant that wait for their file. */
export const MAX_WAITING_IMPORTS = 20;
/** Maximum imports in their list. */
export const LISTED_IMPORTS = 100;
/** Newest imports, deleted ones included, of which the list and the warning of the same file know. */
export const KNOWN_IMPORTS = 1_000;
/** How long an import's status is kept after it last moved, and it can be undone; in seconds. */
export const IMPORT_LIFETIME_S = 7 * 24 * 60 * 60;
/** How long an import's file can be sent and its plan be applied, in seconds. */
export const IMPORT_PLAN_LIFETIME_S = 24 * 60 * 60;
/** How long the presigned URL for an import's file is valid, in seconds. */
export const IMPORT_URL_LIFETIME_S = 15 * 60;
/** The same of an import whose caller waits, in place of {@link WORK_STALLED_S}: more than a call takes. */
export const IMPORT_CALL_STALLED_S = 60;
/** Seconds after which to poll an import again. */
export const IMPORT_POLL_S = 2;
/**
 * Maximum rows of a file of an import's rejected rows, and bytes, of an XLSX file before it is compressed:
 * a call writes about 30 MB a second, and API Gateway waits for 30 seconds.
 */
export const MAX_REJECTED_ROWS = 100_000;
export const MAX_REJECTED_BYTES = 400_000_000;
/** Default and maximum rows of a page of an import's rows. */
export const DEFAULT_IMPORT_ROWS = 100;
export const MAX_IMPORT_ROWS_LISTED = 1_000;
