/** Bytes of a read unit; eventually consistent reads cost half. */
export const UNIT_BYTES = 4_096;
/** Assumed size of a merchant's customers until some have been read. */
const DEFAULT_BYTES = 1_000;
/** Customers whose size says how large others are. */
const MIN_SAMPLE = 5;
const MAX_REMEMBERED = 1_000;

/** Bytes of a customer, by merchant, of those that this function has read lately. */
const remembered = new Map<string, number>();

/** Returns the size of a merchant's customers in bytes, as last seen. */
export function customerBytes(merchantId: string): number {
  return remembered.get(merchantId) ?? DEFAULT_BYTES;
}

/** Returns whether customers of the merchant have been read lately. */
export function isSizeKnown(merchantId: string): boolean {
  return remembered.has(merchantId);
}

/** Notes the size of customers from the read units of a query that evaluated so many. */
export function noteUnits(
  merchantId: string,
  units: number,
  customers: number,
  isConsistent: boolean,
): void {
  if (customers < MIN_SAMPLE) return;
  // DynamoDB rounds the bytes of a query up to whole units, by half a unit on average.
  const bytes = units * UNIT_BYTES * (isConsistent ? 1 : 2) - UNIT_BYTES / 2;
  noteCustomerBytes(merchantId, bytes / customers);
}

/** Notes the size of a merchant's customers in bytes. */
export function noteCustomerBytes(merchantId: string, bytes: number): void {
  // The last one set is the last in order; the first goes if there are too many.
  remembered.delete(merchantId);
  remembered.set(merchantId, bytes);
  const [oldest = ''] = remembered.keys();
  if (remembered.size > MAX_REMEMBERED) remembered.delete(oldest);
}
