import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LogPosition } from '../domain/changes.ts';
import { ChangesExpiredError } from '../domain/errors.ts';
import { required, requiredNumber } from '../environment.ts';
import { badRequest } from './problem-details.ts';

const SECRET = required('cursorSecret');
/**
 * Generation of the change logs. After a restore, or an outage in which changes were lost, an operator
 * raises it, so that every client loads all customers again.
 */
const EPOCH = requiredNumber('changesEpoch');
const MAC_BYTES = 16;

/**
 * Returns a token of a position in the merchant's change log, with a message authentication code that
 * ties it to the merchant.
 */
export function createChangesToken(merchantId: string, position: LogPosition): string {
  const text = [EPOCH, position.entry, position.index, position.sinceMs].join('.');
  return Buffer.concat([authenticationCode(merchantId, text), Buffer.from(text)]).toString(
    'base64url',
  );
}

/**
 * Returns the position in a token.
 *
 * @throws Problem 400 if the token was not created for this merchant.
 * @throws ChangesExpiredError if it is of another generation of the logs.
 */
export function readChangesToken(merchantId: string, token: string): LogPosition {
  const bytes = Buffer.from(token, 'base64url');
  const text = bytes.subarray(MAC_BYTES).toString();
  const isAuthentic =
    bytes.length > MAC_BYTES &&
    bytes.toString('base64url') === token &&
    timingSafeEqual(bytes.subarray(0, MAC_BYTES), authenticationCode(merchantId, text));
  if (!isAuthentic) {
    const detail = 'is not a token of these changes; take it from next or changesFrom, unchanged';
    throw badRequest([{ parameter: 'after', detail }], '/problems/invalid-changes-token');
  }
  const [epoch = 0, entry = 0, index = 0, sinceMs = 0] = text.split('.').map(Number);
  if (epoch !== EPOCH) throw new ChangesExpiredError();
  return { entry, index, sinceMs };
}

function authenticationCode(merchantId: string, text: string): Buffer {
  return createHmac('sha256', SECRET)
    .update(JSON.stringify(['changes', merchantId, text]))
    .digest()
    .subarray(0, MAC_BYTES);
}
