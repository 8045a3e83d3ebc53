import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Selection } from '../domain/customer-filter.ts';
import { required } from '../environment.ts';
import { badParameter } from './problem-details.ts';

const SECRET = required('cursorSecret');
const MAC_BYTES = 16;

/**
 * A cursor: the id of the last customer seen, and a code that ties it to the merchant and the
 * filters it was made for.
 */
export function makeCursor(merchant: string, selection: Selection, id: number): string {
  const text = String(id);
  return Buffer.concat([mac(merchant, selection, text), Buffer.from(text)]).toString('base64url');
}

/**
 * The id in a cursor.
 *
 * @throws Problem 400 where the cursor was not made here for this merchant and these filters.
 */
export function readCursor(merchant: string, selection: Selection, cursor: string): number {
  const bytes = Buffer.from(cursor, 'base64url');
  const id = bytes.subarray(MAC_BYTES).toString();
  const isOurs =
    bytes.length > MAC_BYTES &&
    bytes.toString('base64url') === cursor &&
    timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(merchant, selection, id));
  if (!isOurs) {
    throw badParameter(
      'cursor',
      'is not a cursor of this list; take it from the Link header, unchanged',
    );
  }
  return Number(id);
}

function mac(merchant: string, selection: Selection, id: string): Buffer {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify([merchant, selection, id]))
    .digest()
    .subarray(0, MAC_BYTES);
}
