import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Settings } from './settings.ts';

/**
 * Returns what happens to data when its stack is deleted: production data is retained, unless the
 * operation that created it fails (`RetainExceptOnCreate`), so that a failed creation can be
 * repeated and leaves nothing behind.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export function removalPolicy({ production }: Settings): RemovalPolicy {
  return production ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}

/** Returns how long logs are kept: 3 months in production, 1 month elsewhere. */
export function logRetention({ production }: Settings): RetentionDays {
  return production ? RetentionDays.THREE_MONTHS : RetentionDays.ONE_MONTH;
}
