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
