import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { RateLimitError } from '../domain/errors.ts';
import { MAX_LOOK_UPS_PER_MINUTE } from '../domain/limits.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, lookUpCountKey, nowS } from './table.ts';

const MINUTE_S = 60;

/**
 * Counts a look-up of the merchant in a public register, in the current minute. One conditional
 * write is atomic, so that concurrent look-ups of many functions cannot exceed the limit.
 *
 * @throws RateLimitError if the merchant has used up the minute's look-ups.
 */
export async function countLookUp(merchantId: string): Promise<void> {
  const now = nowS();
  const minute = now - (now % MINUTE_S);
  const isCounted = await conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: lookUpCountKey(merchantId, minute),
        UpdateExpression: 'ADD lookUps :one SET expiresAt = :expiresAt',
        ConditionExpression: 'attribute_not_exists(lookUps) OR lookUps < :max',
        ExpressionAttributeValues: {
          ':one': 1,
          ':max': MAX_LOOK_UPS_PER_MINUTE,
          ':expiresAt': expiringIn(MINUTE_S).expiresAt,
        },
      }),
    ),
  );
  if (isCounted) return;
  const retryAfterS = minute + MINUTE_S - now;
  throw new RateLimitError(
    `No customer has this number, and ${MAX_LOOK_UPS_PER_MINUTE} numbers a minute may be looked ` +
      `up in public registers. Try again in ${retryAfterS} seconds.`,
    retryAfterS,
  );
}
