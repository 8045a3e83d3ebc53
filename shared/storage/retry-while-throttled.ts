import { setTimeout } from 'node:timers/promises';
import { isThrottling } from '../aws-errors.ts';

/** How long reads of a throttled table are retried, and the longest wait between two attempts. */
const THROTTLING_PATIENCE_MS = 12_000;
const MAX_BACKOFF_MS = 1_000;

/**
 * Retries while the table is throttled: an export reads more than any other call, and is to become
 * slower then, not to fail. The SDK has made up to four attempts by then, or only one if it has
 * used up its retry tokens.
 */
export async function retryWhileThrottled<T>(read: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isThrottling(error) || performance.now() - started > THROTTLING_PATIENCE_MS) throw error;
      await setTimeout(MAX_BACKOFF_MS * Math.random());
    }
  }
}
