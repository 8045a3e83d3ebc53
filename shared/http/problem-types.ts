/**
 * Problem types of the API (RFC 9457, section 3.1.1) with their titles: errors that a caller handles
 * otherwise than by their status. They are relative references, the same at every deployment; the API
 * guide documents them. The type of all other errors is `about:blank`.
 */
export const PROBLEM_TITLES = {
  '/problems/changes-expired': 'Changes Expired',
  '/problems/customer-exists': 'Customer Exists',
  '/problems/customer-not-found': 'Customer Not Found',
  '/problems/duplicate-customerid': 'Duplicate Customerid',
  '/problems/export-not-found': 'Export Not Found',
  '/problems/import-expired': 'Import Expired',
  '/problems/import-not-found': 'Import Not Found',
  '/problems/import-state': 'Import State',
  '/problems/interrupted-deletion': 'Interrupted Deletion',
  '/problems/invalid-changes-token': 'Invalid Changes Token',
  '/problems/invalid-cursor': 'Invalid Cursor',
  '/problems/number-not-found': 'Number Not Found',
  '/problems/reused-idempotency-key': 'Reused Idempotency Key',
  '/problems/rows-to-leave-out': 'Rows To Leave Out',
  '/problems/stale-plan': 'Stale Plan',
  '/problems/stale-version': 'Stale Version',
  '/problems/unreadable-file': 'Unreadable File',
} as const;

/** The `type` of an error of its own. */
export type ProblemType = keyof typeof PROBLEM_TITLES;
