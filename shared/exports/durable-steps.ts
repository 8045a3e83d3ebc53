import {
  createRetryStrategy,
  type DurableContext,
  DurableOperationError,
} from '@aws/durable-execution-sdk-js';
import { isTransient, loggable } from '../aws-errors.ts';

/** Reasons of a failure for the caller; errors of the SDKs may contain internals. */
const OUTAGE = 'The register or the file store could not be reached for minutes. Try again.';
const DEFECT = 'A defect of the API ended the export. Report it with its exportId.';

/** About five minutes in all, besides the attempts of the SDK's clients within each step. */
const RETRIES = createRetryStrategy({
  maxAttempts: 9,
  initialDelay: { seconds: 2 },
  maxDelay: { minutes: 1 },
  backoffRate: 2,
  retryableErrors: [OUTAGE],
});

/** Runs work once, however often the function is replayed, and returns its result. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** A job in the log. */
interface LoggedJob {
  readonly merchant: string;
  readonly exportId?: string;
  readonly importId?: string;
}

/**
 * Returns a function that runs checkpointed steps of a job. Transient errors are retried with
 * back-off, during which the function does not run; after that, and at once for other errors, the
 * step fails with a reason for the caller, and the cause is logged.
 */
export function stepsOf(context: DurableContext, job: LoggedJob): Step {
  return (name, work) =>
    context.step(
      name,
      async () => {
        try {
          return await work();
        } catch (error) {
          const transient = isTransient(error);
          console[transient ? 'warn' : 'error']({
            message: 'Step failed',
            step: name,
            ...job,
            ...loggable(error),
          });
          throw new Error(transient ? OUTAGE : DEFECT);
        }
      },
      { retryStrategy: RETRIES },
    );
}

/** Returns why a job failed, in words for its caller. */
export function failureReason(error: unknown): string {
  return error instanceof DurableOperationError ? error.message : DEFECT;
}
