import { setTimeout } from 'node:timers/promises';
import { UnavailableError } from './domain/errors.ts';

/** The members of an SDK error that say what kind of error it is. */
interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $retryable?: unknown;
  readonly code?: string;
  /** System call that failed, of an error of Node. */
  readonly syscall?: string;
}

const THROTTLING_ERRORS = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
];
const TRANSIENT_ERRORS = new Set([
  ...THROTTLING_ERRORS,
  'InternalServerError',
  'InternalError',
  'ServiceUnavailable',
  'SlowDown',
  'TimeoutError',
  'AbortError',
]);
const CONNECTION_ERRORS = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH)$/;

/** Returns whether an error is transient, so that a retry may succeed. */
export function isTransient(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  const { name, $retryable, $metadata, code } = error as ServiceError;
  return (
    TRANSIENT_ERRORS.has(name) ||
    $retryable !== undefined ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    CONNECTION_ERRORS.test(code ?? '') ||
    isUnsent(error)
  );
}

/** System calls before a connection is made. */
const BEFORE_CONNECTION = ['connect', 'getaddrinfo'];
/** What the SDK's HTTP handler says after `connectionTimeout`; the error has no code. */
const NOT_CONNECTED = /the request socket did not establish a connection/;

/**
 * Returns whether an error ended an attempt before there was a connection, so that no byte of the request
 * was sent. A connection that was reset, also during TLS, does not count.
 */
export function isUnsent(error: unknown): boolean {
  // Node tries the addresses of a name in turn.
  if (error instanceof AggregateError) return error.errors.every(isUnsent);
  const { name, message, syscall = '' } = error as ServiceError;
  return (
    BEFORE_CONNECTION.includes(syscall) || (name === 'TimeoutError' && NOT_CONNECTED.test(message))
  );
}

/** Returns whether DynamoDB throttled the request. */
function isThrottling(error: unknown): boolean {
  return error instanceof UnavailableError || THROTTLING_ERRORS.includes((error as Error).name);
}

/** Returns what may be logged of an error: nothing that can quote stored data. */
export function loggable(error: unknown) {
  const { name, $metadata, stack } = error as ServiceError;
  return {
    error: name,
    awsRequestId: $metadata?.requestId,
    // A stack starts with the error's message, which may quote stored data.
    stack: stack?.match(/^ +at .*$/gm)?.join('\n'),
  };
}

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
