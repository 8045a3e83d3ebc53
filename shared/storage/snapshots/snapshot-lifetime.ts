/** Age at which a snapshot is not used any more. */
export const SNAPSHOT_LIFETIME_MS = 23 * 60 * 60_000;
/** Age at which the next one is built: before it may not be used any more. */
export const RENEWAL_MS = 20 * 60 * 60_000;
/**
 * When its file is deleted after that: searches that began before read it to their end. What is left of a
 * day is for the scheduler's retries: the file has the texts of customers that were deleted since.
 */
export const DELETION_DELAY_MS = 2 * 60_000;
