/** Limits that callers meet; the functions keep them and the OpenAPI document tells them. */

/** Customers on a page of the list where the caller does not say. */
export const DEFAULT_PAGE = 100;
/** Most customers on a page of the list. */
export const MAX_PAGE = 1_000;

/** Most ids that one call may delete. */
export const MAX_IDS_DELETED = 1_000;
/** Most ids that one call may export. */
export const MAX_IDS_EXPORTED = 10_000;

/** Most texts that one search may give; each costs a comparison with every customer. */
export const MAX_SEARCH_TEXTS = 10;
/** Most characters (Unicode code points) of a text that is searched for. */
export const MAX_SEARCH_LENGTH = 255;

/**
 * Most bytes of a request's body, 1 MiB: more than the largest valid customer or list of ids
 * takes, and well inside the 6 MB that Lambda accepts.
 */
export const MAX_BODY_BYTES = 1_048_576;

/** Most characters of an Idempotency-Key. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255;

/** How long the address of an export works, in seconds. */
export const EXPORT_URL_LIFETIME_S = 15 * 60;
/**
 * Most rows of an export that is made while its caller waits, unless the environment says
 * otherwise. An export that turns out slower is handed over all the same.
 */
export const LONG_EXPORT_ROWS = 100_000;
/** For how many days a company is remembered that a public register has told of, if not set. */
export const COMPANY_CACHE_DAYS = 30;
/** How long a long export can be asked for after it last moved, in seconds; its file as long. */
export const EXPORT_JOB_LIFETIME_S = 24 * 60 * 60;
/** After how many seconds to ask again for an export that goes on. */
export const EXPORT_POLL_S = 2;
