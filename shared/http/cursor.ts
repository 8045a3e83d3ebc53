import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import { required } from '../environment.ts';
import { badRequest } from './problem-details.ts';

const SECRET = required('cursorSecret');
const MAC_BYTES = 16;

/**
 * Returns a cursor: the id of the last customer of a page, with a message authentication code that
 * ties it to the merchant and the filter.
 */
export function createCursor(merchantId: string, filter: CustomerFilter, id: number): string {
  const text = String(id);
  const code = authenticationCode(merchantId, filter, text);
  return Buffer.concat([code, Buffer.from(text)]).toString('base64url');
}

/**
 * Returns the id in a cursor.
 *
 * @throws Problem 400 if the cursor was not created for this merchant and filter.
 */
export function readCursor(merchantId: string, filter: CustomerFilter, cursor: string): number {
  const bytes = Buffer.from(cursor, 'base64url');
  const id = bytes.subarray(MAC_BYTES).toString();
  const isAuthentic =
    bytes.length > MAC_BYTES &&
    bytes.toString('base64url') === cursor &&
    timingSafeEqual(bytes.subarray(0, MAC_BYTES), authenticationCode(merchantId, filter, id));
  if (!isAuthentic) {
    const detail = 'is not a cursor of this list; take it from the Link header, unchanged';
    throw badRequest([{ parameter: 'cursor', detail }], '/problems/invalid-cursor');
  }
  return Number(id);
}

function authenticationCode(merchantId: string, filter: CustomerFilter, id: string): Buffer {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify([merchantId, filter, id]))
    .digest()
    .subarray(0, MAC_BYTES);
}
