import type { LogPosition } from '../domain/changes.ts';
import { ChangesExpiredError } from '../domain/errors.ts';
import { requiredNumber } from '../environment.ts';
import { badRequest } from './problem-details.ts';
import { signText, verifiedText } from './signed-text.ts';

/**
 * Generation of the change logs. After a restore, or an outage in which changes were lost, an operator
 * raises it, so that every client loads all customers again.
 */
const EPOCH = requiredNumber('changesEpoch');

/** Returns a token of a position in the merchant's change log, which is tied to the merchant. */
export function createChangesToken(merchantId: string, position: LogPosition): string {
  const text = [EPOCH, position.entry, position.index, position.sinceMs].join('.');
  return signText(['changes', merchantId], text);
}

/**
 * Returns the position in a token.
 *
 * @throws Problem 400 if the token was not created for this merchant.
 * @throws ChangesExpiredError if it is of another generation of the logs.
 */
export function readChangesToken(merchantId: string, token: string): LogPosition {
  const text = verifiedText(['changes', merchantId], token);
  if (text === undefined) {
    const detail = 'is not a token of these changes; take it from next or changesFrom, unchanged';
    throw badRequest([{ parameter: 'after', detail }], '/problems/invalid-changes-token');
  }
  const [epoch = 0, entry = 0, index = 0, sinceMs = 0] = text.split('.').map(Number);
  if (epoch !== EPOCH) throw new ChangesExpiredError();
  return { entry, index, sinceMs };
}
