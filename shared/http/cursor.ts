import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import type { SortOrder, SortPosition } from '../domain/sort-order.ts';
import { required } from '../environment.ts';
import { badRequest } from './problem-details.ts';
import { signText, verifiedText } from './signed-text.ts';

const SECRET = required('cursorSecret');
const CIPHER = 'aes-256-gcm';
/** Nonce of AES-GCM (NIST SP 800-38D, section 8.2.2: random). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The list that a cursor is of. */
export interface CursorScope {
  readonly merchantId: string;
  readonly filter: CustomerFilter;
  readonly order: SortOrder;
}

/**
 * Returns a cursor: the position of the last customer of a page. It is tied to the merchant, the
 * filter and the order. A position by another member than the id is encrypted, as the member can be a
 * name.
 */
export function createCursor(scope: CursorScope, { id, key }: SortPosition): string {
  if (key !== undefined) return encrypt(scope, JSON.stringify([id, key]));
  return signText(signedScope(scope), String(id));
}

/**
 * Returns the position in a cursor.
 *
 * @throws Problem 400 if the cursor was not created for this merchant, filter and order.
 */
export function readCursor(scope: CursorScope, cursor: string): SortPosition {
  const position = scope.order.by === 'id' ? readId(scope, cursor) : decrypt(scope, cursor);
  if (position) return position;
  const detail = 'is not a cursor of this list; take it from the Link header, unchanged';
  throw badRequest([{ parameter: 'cursor', detail }], '/problems/invalid-cursor');
}

function readId(scope: CursorScope, cursor: string): SortPosition | undefined {
  const id = verifiedText(signedScope(scope), cursor);
  return id === undefined ? undefined : { id: Number(id) };
}

function signedScope({ merchantId, filter, order }: CursorScope): readonly unknown[] {
  // Cursors of lists without an order are those of before there were any.
  return order.isDescending ? [merchantId, filter, order] : [merchantId, filter];
}

function encrypt(scope: CursorScope, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, cipherKey(), nonce).setAAD(additionalData(scope));
  const encrypted = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
}

function decrypt(scope: CursorScope, text: string): SortPosition | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const start = NONCE_BYTES + TAG_BYTES;
  if (bytes.length <= start || bytes.toString('base64url') !== text) return undefined;
  const cipher = createDecipheriv(CIPHER, cipherKey(), bytes.subarray(0, NONCE_BYTES))
    .setAAD(additionalData(scope))
    .setAuthTag(bytes.subarray(NONCE_BYTES, start));
  const beginning = cipher.update(bytes.subarray(start));
  try {
    const [id, key] = JSON.parse(Buffer.concat([beginning, cipher.final()]).toString());
    return { id, key };
  } catch {
    return undefined;
  }
}

/** Returns the key of the cipher, which is another than that of the authentication codes. */
function cipherKey(): Buffer {
  return createHmac('sha256', SECRET).update('positions in sorted lists').digest();
}

function additionalData({ merchantId, filter, order }: CursorScope): Buffer {
  return Buffer.from(JSON.stringify([merchantId, filter, order]));
}
