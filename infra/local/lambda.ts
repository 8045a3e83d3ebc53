import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';

/** A function's handler. */
export type Handler = (event: never, context: Context) => Promise<unknown>;

/** Calls a function with an event, and returns its result. */
export type Invoke = (name: string, event: object) => Promise<unknown>;

/** Lambda did not call the function: the event is too large. */
export class EventTooLargeError extends Error {}

/** Lambda did not call the function: the maximum of concurrent executions is reached. */
export class ThrottledError extends Error {}

/** Limits of a function. */
interface LambdaLimits {
  readonly timeoutMs: number;
  /** Size of an event as JSON. */
  readonly eventBytes: number;
  /** Size of a result as JSON. */
  readonly resultBytes: number;
  /** Maximum concurrent executions of all functions, and of one. */
  readonly concurrency: number;
  readonly reserved: (name: string) => number;
}

/**
 * Lambda's quotas, and the time-out that the stack sets for each function.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const LIMITS: LambdaLimits = {
  timeoutMs: 29_000,
  eventBytes: 6 * 1024 * 1024,
  resultBytes: 6_291_556,
  concurrency: Number.POSITIVE_INFINITY,
  reserved: () => Number.POSITIVE_INFINITY,
};

/**
 * Creates a function that calls handlers in this process as Lambda does: event and result pass as
 * JSON, within Lambda's limits. A call that exceeds a limit fails like one that throws.
 */
export function createLambda(
  load: (name: string) => Promise<Handler>,
  limits: Partial<LambdaLimits> = {},
): Invoke {
  const { timeoutMs, eventBytes, resultBytes, concurrency, reserved } = { ...LIMITS, ...limits };
  const running: string[] = [];

  const run: Invoke = async (name, event) => {
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > eventBytes) throw new EventTooLargeError();
    const handler = await load(name);
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      timeout.reject(new Error(`Task timed out after ${timeoutMs / 1_000} seconds`));
    }, timeoutMs);
    try {
      const context = createContext(name, timeoutMs);
      const result = await Promise.race([
        handler(JSON.parse(payload) as never, context),
        timeout.promise,
      ]);
      const text = JSON.stringify(result) ?? 'null';
      if (Buffer.byteLength(text) > resultBytes) {
        throw new Error(
          `Response payload size exceeded maximum allowed payload size (${resultBytes} bytes).`,
        );
      }
      return JSON.parse(text);
    } finally {
      clearTimeout(timer);
    }
  };

  return async (name, event) => {
    const runningCopies = running.filter((other) => other === name).length;
    if (running.length >= concurrency || runningCopies >= reserved(name))
      throw new ThrottledError();
    running.push(name);
    try {
      return await run(name, event);
    } finally {
      running.splice(running.indexOf(name), 1);
    }
  };
}

function createContext(functionName: string, timeoutMs: number): Context {
  const deadline = Date.now() + timeoutMs;
  const awsRequestId = randomUUID();
  return {
    awsRequestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
    memoryLimitInMB: '1024',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: awsRequestId,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    // For handlers with callbacks; these return promises.
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
