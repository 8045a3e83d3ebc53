import type { APIGatewayProxyEventV2WithJWTAuthorizer as ApiEvent } from 'aws-lambda';
import { claimNames } from './environment.ts';
import { Problem, unavailable } from './http/problem-details.ts';

/** The SDK's marks of an error that says nothing of the request and may pass. */
interface ServiceError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $retryable?: unknown;
  readonly code?: string;
}

const THROTTLING_ERRORS = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
];
const PASSING_ERRORS = new Set([
  ...THROTTLING_ERRORS,
  'InternalServerError',
  'InternalError',
  'ServiceUnavailable',
  'SlowDown',
  'TimeoutError',
  'AbortError',
]);
const CONNECTION_ERRORS = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|EHOSTUNREACH)$/;

/**
 * What the caller is told of an error: a {@link Problem} as it is, an outage behind the API as
 * 503, and anything else as 500 with nothing of its text. The last two are logged.
 */
export function toProblem(error: unknown, event: ApiEvent): Problem {
  if (error instanceof Problem) {
    if (error.status >= 500) log('warn', error, event);
    return error;
  }
  const passing = isPassing(error);
  log(passing ? 'warn' : 'error', error as ServiceError, event);
  return passing ? unavailable() : new Problem(500, 'Something went wrong here.');
}

/** Whether an error says nothing of the request and may be gone at the next try. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Problem) return error.status === 503;
  const { name, $retryable, $metadata, code } = error as ServiceError;
  return (
    PASSING_ERRORS.has(name) ||
    $retryable !== undefined ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    CONNECTION_ERRORS.test(code ?? '')
  );
}

/** Whether DynamoDB could not keep up with an export's reads; it can a little later. */
export function isThrottling(error: unknown): boolean {
  if (error instanceof Problem) return error.status === 503;
  return THROTTLING_ERRORS.includes((error as Error).name);
}

/** Lambda's JSON log format adds time, level and request id; personal data is never logged. */
function log(level: 'warn' | 'error', error: ServiceError, event: ApiEvent): void {
  const { routeKey, requestId, authorizer } = event.requestContext;
  console[level]({
    message: 'Request failed',
    routeKey,
    apiRequestId: requestId,
    merchant: authorizer?.jwt?.claims[claimNames().merchant],
    ...loggable(error),
  });
}

/** What of an error may be logged: nothing that can quote what was stored. */
export function loggable(error: unknown) {
  const { name, $metadata, stack } = error as ServiceError;
  return {
    error: name,
    awsRequestId: $metadata?.requestId,
    // A stack begins with the message, which may quote what was stored.
    stack: stack?.match(/^ +at .*$/gm)?.join('\n'),
  };
}
