import { createHmac, timingSafeEqual } from 'node:crypto';
import { required } from '../config.ts';
import type { Selection } from '../customer/filters.ts';
import { badParameter } from './problem.ts';

const SECRET = required('cursorSecret');
const MAC_BYTES = 16;

/**
 * A cursor: the directory key of the last customer seen, and a code that ties it to the merchant
 * and the filters it was made for.
 */
export function makeCursor(merchant: string, selection: Selection, key: string): string {
  return Buffer.concat([mac(merchant, selection, key), Buffer.from(key)]).toString('base64url');
}

/**
 * The directory key in a cursor.
 *
 * @throws Problem 400 where the cursor was not made here for this merchant and these filters.
 */
export function readCursor(merchant: string, selection: Selection, cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const key = bytes.subarray(MAC_BYTES).toString();
  const isOurs =
    bytes.length > MAC_BYTES &&
    bytes.toString('base64url') === cursor &&
    timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(merchant, selection, key));
  if (!isOurs) {
    throw badParameter(
      'cursor',
      'is not a cursor of this list; take it from the Link header, unchanged',
    );
  }
  return key;
}

function mac(merchant: string, selection: Selection, key: string): Buffer {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify([merchant, selection, key]))
    .digest()
    .subarray(0, MAC_BYTES);
}
