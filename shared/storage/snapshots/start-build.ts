import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { loggable } from '../../aws-errors.ts';
import { required } from '../../environment.ts';

const SNAPSHOT_BUILDER = required('snapshotBuilder');
/** Minimum time between two starts for a merchant. */
const START_INTERVAL_MS = 60_000;
const MAX_REMEMBERED = 1_000;

/** A caller waits for the start. If that fails, a call after the interval tries again. */
const lambda = new LambdaClient({
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 300, requestTimeout: 500, throwOnRequestTimeout: true },
});
/** When this function last started a build, by merchant. */
const started = new Map<string, number>();

/** Starts a build of a merchant's snapshot, asynchronously, if this function has not lately. */
export async function startBuild(merchantId: string): Promise<void> {
  const now = Date.now();
  if ((started.get(merchantId) ?? 0) > now - START_INTERVAL_MS) return;
  started.delete(merchantId);
  started.set(merchantId, now);
  const [oldest = ''] = started.keys();
  if (started.size > MAX_REMEMBERED) started.delete(oldest);
  try {
    await lambda.send(
      new InvokeCommand({
        FunctionName: SNAPSHOT_BUILDER,
        InvocationType: 'Event',
        Payload: JSON.stringify({ merchantId }),
      }),
    );
  } catch (error) {
    console.warn({
      message: 'No snapshot build started',
      merchant: merchantId,
      ...loggable(error),
    });
  }
}
