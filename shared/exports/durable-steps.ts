import {
  createRetryStrategy,
  type DurableContext,
  DurableOperationError,
} from '@aws/durable-execution-sdk-js';
import { isPassing, loggable } from '../aws-errors.ts';
import type { ExportOrder } from './job.ts';

/** What a caller is told of a failure; errors of the SDKs may tell what is internal. */
const OUTAGE = 'The register or the file store could not be reached for minutes. Export again.';
const DEFECT = 'Something went wrong here.';

/** Some five minutes in all, beside what the SDK's clients try within each attempt. */
const RETRIES = createRetryStrategy({
  maxAttempts: 9,
  initialDelay: { seconds: 2 },
  maxDelay: { minutes: 1 },
  backoffRate: 2,
  retryableErrors: [OUTAGE],
});

/** Does something once, however often the function runs anew, and gives its result. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/**
 * Makes the checkpointed steps of an export. What may pass is tried again with growing waits,
 * during which the function does not run; then, as for anything else, the step fails with words
 * that a caller may read, and the log says why.
 */
export function stepsOf(context: DurableContext, { merchant, id }: ExportOrder): Step {
  return (name, work) =>
    context.step(
      name,
      async () => {
        try {
          return await work();
        } catch (error) {
          const passing = isPassing(error);
          console[passing ? 'warn' : 'error']({
            message: 'Export step failed',
            step: name,
            exportId: id,
            merchant,
            ...loggable(error),
          });
          throw new Error(passing ? OUTAGE : DEFECT);
        }
      },
      { retryStrategy: RETRIES },
    );
}

/** Why an export failed, in words for its caller. */
export function reasonOf(error: unknown): string {
  return error instanceof DurableOperationError ? error.message : DEFECT;
}
