import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Context } from 'aws-lambda';

/** A function's handler. */
export type Handler = (event: never, context: Context) => Promise<unknown>;

/** Calls a function with an event, and returns its result. */
export type Invoke = (name: string, event: object) => Promise<unknown>;

/** Lambda did not call the function: the event is larger than it takes. */
export class EventTooLargeError extends Error {}

/** Lambda did not call the function: as many executions as may be are under way. */
export class ThrottledError extends Error {}

/** What Lambda allows a function. */
interface LambdaLimits {
  readonly timeoutMs: number;
  /** Size of an event as JSON. */
  readonly eventBytes: number;
  /** Size of a result as JSON. */
  readonly resultBytes: number;
  /** Executions at once, of all functions and of one. */
  readonly concurrency: number;
  readonly reserved: (name: string) => number;
}

/**
 * Lambda's quotas, and the time-out that the stack gives each function.
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
 * Runs handlers in this process as Lambda runs them: event and result pass as JSON, inside
 * Lambda's limits. A function that breaks one fails, as one that throws does.
 */
export function createLambda(
  load: (name: string) => Promise<Handler>,
  limits: Partial<LambdaLimits> = {},
): Invoke {
  const { timeoutMs, eventBytes, resultBytes, concurrency, reserved } = { ...LIMITS, ...limits };
  const underWay: string[] = [];

  const run: Invoke = async (name, event) => {
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > eventBytes) throw new EventTooLargeError();
    const handler = await load(name);
    const ended = new AbortController();
    const timeout = setTimeout(timeoutMs, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`Task timed out after ${timeoutMs / 1_000} seconds`);
    });
    try {
      const context = makeContext(name, timeoutMs);
      const result = await Promise.race([handler(JSON.parse(payload) as never, context), timeout]);
      const text = JSON.stringify(result) ?? 'null';
      if (Buffer.byteLength(text) > resultBytes) {
        throw new Error(
          `Response payload size exceeded maximum allowed payload size (${resultBytes} bytes).`,
        );
      }
      return JSON.parse(text);
    } finally {
      ended.abort();
    }
  };

  return async (name, event) => {
    const ofThis = underWay.filter((other) => other === name).length;
    if (underWay.length >= concurrency || ofThis >= reserved(name)) throw new ThrottledError();
    underWay.push(name);
    try {
      return await run(name, event);
    } finally {
      underWay.splice(underWay.indexOf(name), 1);
    }
  };
}

function makeContext(functionName: string, timeoutMs: number): Context {
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
    // Of the past: a handler returns a promise.
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
