import type { CallName } from './calls.ts';

/** A merchant whose monthly bill is calculated. */
export interface Merchant {
  readonly customers: number;
  /** Calls in a month; those that are left out are not made. */
  readonly calls: Readonly<Partial<Record<CallName, number>>>;
}

/**
 * Assumed merchants. Change them, or give others: `npm run bench:cost -- --customers 20000 --calls
 * get=9000,search=400`.
 */
export const MERCHANTS: readonly Merchant[] = [
  {
    // A shop whose bookkeeper opens the register on working days.
    customers: 50,
    calls: {
      get: 200,
      list: 100,
      search: 50,
      lookUp: 20,
      create: 5,
      changeEmail: 15,
      changeName: 5,
      delete: 1,
      exportAll: 2,
    },
  },
  {
    // A company whose invoicing reads each customer three times, with an export each night.
    customers: 10_000,
    calls: {
      get: 30_000,
      list: 5_000,
      search: 3_000,
      count: 500,
      lookUp: 3_000,
      create: 300,
      changeEmail: 500,
      changeName: 100,
      delete: 50,
      exportAll: 30,
      exportFiltered: 30,
    },
  },
  {
    // A utility whose systems read each customer twice, and export all of them each week.
    customers: 1_000_000,
    calls: {
      get: 2_000_000,
      list: 50_000,
      search: 2_000,
      count: 500,
      lookUp: 200_000,
      create: 20_000,
      changeEmail: 50_000,
      changeName: 10_000,
      delete: 5_000,
      exportById: 500,
      exportAll: 4,
      exportFiltered: 8,
    },
  },
];
