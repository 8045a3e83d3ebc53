import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { isTransient, loggable } from '../aws-errors.ts';
import { UnavailableError } from '../domain/errors.ts';

/** When to retry if Lambda does not start the worker. */
const RETRY_AFTER_S = 5;

/** Two attempts fit into the time that starting a job has. */
const lambda = new LambdaClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
});

/**
 * Starts an execution of a durable function.
 *
 * @param name a UUID. Lambda starts one execution for one name, so that a retry whose first response
 * was lost starts no second one.
 */
export async function startWorker(workerArn: string, name: string, input: object): Promise<void> {
  await lambda.send(
    new InvokeCommand({
      FunctionName: workerArn,
      InvocationType: 'Event',
      DurableExecutionName: name,
      Payload: JSON.stringify(input),
    }),
  );
}

/** Returns the error for a caller whose job could not be started, be it that Lambda is too busy. */
export function startFailure(error: unknown, what: string): unknown {
  if (!isRefusal(error)) return error;
  console.warn({ message: `${what} could not be started`, ...loggable(error) });
  return new UnavailableError(`${what} cannot be started at the moment.`, RETRY_AFTER_S);
}

/** Lambda throttles invocations with 429, which other services do not send. */
function isRefusal(error: unknown): boolean {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return isTransient(error) || $metadata?.httpStatusCode === 429;
}
