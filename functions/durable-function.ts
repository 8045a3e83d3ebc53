import type { DurableContext } from '@aws/durable-execution-sdk-js';
import middy from '@middy/core';
import { executionModeDurableContext } from '@middy/core/executionModeDurableContext';

/**
 * Returns the middlewares of a durable function, to be completed by its own and its handler. The
 * handler is replayed from its start after each interruption, with the results of completed steps:
 * what it does outside of steps must be deterministic.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/durable-best-practices.html
 */
export function durableFunction<Input, Output>() {
  return middy<Input, Output, Error, DurableContext>({
    executionMode: executionModeDurableContext,
    // A run that times out is continued by the next one; it must not fail the execution.
    timeoutEarlyInMillis: 0,
  });
}
