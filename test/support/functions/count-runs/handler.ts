import { randomUUID } from 'node:crypto';
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';

/** What the runs of one execution do. */
interface Work {
  readonly steps: number;
  /** How often the step `flaky` fails before it succeeds. */
  readonly failures: number;
  readonly fails?: boolean;
}

const retryStrategy = (_: Error, attempt: number) => ({
  shouldRetry: attempt < 5,
  delay: { seconds: 1 },
});

/** Another one in each execution environment. */
const environment = randomUUID();

/**
 * A durable function with all that the local stack does for one: it makes steps, waits,
 * tries a step again and perhaps fails. It gives how often steps were made, and where.
 */
export const handler = withDurableExecution(async (work: Work, context: DurableContext) => {
  const attempts: number[] = [];
  for (let step = 1; step <= work.steps; step += 1) {
    attempts.push(await context.step(`step ${step}`, async ({ attempt }) => attempt));
  }
  await context.wait('a while', { seconds: 1 });
  const flaky = await context.step(
    'flaky',
    async ({ attempt }) => {
      if (attempt <= work.failures) throw new Error('not yet');
      return attempt;
    },
    { retryStrategy },
  );
  if (work.fails) throw new Error('on purpose');
  return { steps: attempts.length, attempts: Math.max(...attempts), flaky, environment };
});
