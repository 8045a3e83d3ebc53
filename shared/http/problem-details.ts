import type { MiddlewareObj } from '@middy/core';
import { isTransient, loggable } from '../aws-errors.ts';
import {
  ChangesExpiredError,
  CustomerExistsError,
  CustomerNotFoundError,
  DeletionInterruptedError,
  DuplicateCustomeridError,
  EmptyExportError,
  ExportNotFoundError,
  IdempotencyKeyReusedError,
  ImportExpiredError,
  ImportFailedError,
  ImportNotFoundError,
  ImportStateError,
  NoCustomerToMatchError,
  RateLimitError,
  RowsToLeaveOutError,
  StalePlanError,
  TooManyToSortError,
  UnavailableError,
  UnusableResponseError,
  VersionMismatchError,
} from '../domain/errors.ts';
import { claimNames } from '../environment.ts';
import type { HttpEvent, HttpResponse } from './event.ts';

/**
 * Problem types of the API (RFC 9457, section 3.1.1) with their titles: errors that a caller handles
 * otherwise than by their status. They are relative references, the same at every deployment; the API
 * guide documents them. The type of all other errors is `about:blank`.
 */
export const PROBLEM_TITLES = {
  '/problems/changes-expired': 'Changes Expired',
  '/problems/customer-exists': 'Customer Exists',
  '/problems/customer-not-found': 'Customer Not Found',
  '/problems/duplicate-customerid': 'Duplicate Customerid',
  '/problems/export-not-found': 'Export Not Found',
  '/problems/import-expired': 'Import Expired',
  '/problems/import-not-found': 'Import Not Found',
  '/problems/import-state': 'Import State',
  '/problems/interrupted-deletion': 'Interrupted Deletion',
  '/problems/invalid-changes-token': 'Invalid Changes Token',
  '/problems/invalid-cursor': 'Invalid Cursor',
  '/problems/number-not-found': 'Number Not Found',
  '/problems/reused-idempotency-key': 'Reused Idempotency Key',
  '/problems/rows-to-leave-out': 'Rows To Leave Out',
  '/problems/stale-plan': 'Stale Plan',
  '/problems/stale-version': 'Stale Version',
  '/problems/unreadable-file': 'Unreadable File',
} as const;

/** The `type` of an error of its own. */
export type ProblemType = keyof typeof PROBLEM_TITLES;

/** A fault of a request: in the body (JSON pointer, RFC 6901), a parameter or a header. */
export type Fault =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string }
  | { readonly header: string; readonly detail: string };

/** Maximum faults that are collected and listed: a small request must not cause much work. */
export const MAX_FAULTS = 100;

interface ProblemOptions {
  /** @default `about:blank`: the status says what kind of error it is. */
  readonly type?: ProblemType;
  readonly faults?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly members?: Readonly<Record<string, unknown>>;
}

/**
 * An error for the caller, in the form of problem details (RFC 9457). The text of any other error
 * stays internal.
 */
export class Problem extends Error {
  readonly status: number;
  readonly type: ProblemType | undefined;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the problem details. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    detail: string,
    { type, faults = [], headers = {}, members = {} }: ProblemOptions = {},
  ) {
    super(detail);
    this.status = status;
    this.type = type;
    this.faults = faults;
    this.headers = headers;
    this.members = members;
  }
}

/** Returns a 400 that lists the faults of a request. */
export function badRequest(faults: readonly Fault[], type?: ProblemType): Problem {
  const first = faults.slice(0, 1).map(describe).join('');
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more; see errors)` : '';
  const end = !more && first.endsWith('?') ? '' : '.';
  const detail = `The request is not valid: ${first}${more}${end}`;
  return new Problem(400, detail, {
    ...(type && { type }),
    faults: faults.slice(0, MAX_FAULTS),
  });
}

/** Middleware that responds to an error with problem details, and logs what is not the caller's. */
export function problemDetails(): MiddlewareObj<HttpEvent, HttpResponse> {
  return {
    onError: (request) => {
      const { error, event } = request;
      const { status, type, message, faults, headers, members } = toProblem(error);
      if (status >= 500) logFailure(error, event);
      request.response = {
        statusCode: status,
        headers: {
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          ...headers,
        },
        body: JSON.stringify({
          // First, as some clients show the first 120 characters only (Guzzle).
          detail: message,
          type: type ?? 'about:blank',
          title: type ? PROBLEM_TITLES[type] : reasonPhrase(status),
          status,
          ...(faults.length > 0 && { errors: faults }),
          ...members,
          requestId: event.requestContext.requestId,
        }),
      };
    },
  };
}

/** Returns the text of a status, such as `Not Found`. */
function reasonPhrase(status: number): string | undefined {
  // An import of the module would load all that it exports, with a fetch client: 50 ms of a local start.
  return process.getBuiltinModule('node:http').STATUS_CODES[status];
}

/** Path at which a client that follows changes loads all customers again. */
const FIRST_LOAD = '/customers/export/csv';

/** The one place in which errors become statuses. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { message } = error as Error;
  if (error instanceof CustomerNotFoundError || error instanceof EmptyExportError) {
    return new Problem(404, message, { type: '/problems/customer-not-found' });
  }
  if (error instanceof TooManyToSortError) {
    return badRequest([{ parameter: 'sort', detail: message }]);
  }
  if (error instanceof ExportNotFoundError) {
    return new Problem(404, message, { type: '/problems/export-not-found' });
  }
  if (error instanceof ChangesExpiredError) {
    return new Problem(410, message, {
      type: '/problems/changes-expired',
      headers: { link: `<${FIRST_LOAD}>; rel="start"` },
      members: { restart: FIRST_LOAD },
    });
  }
  if (error instanceof VersionMismatchError) {
    return new Problem(412, `If-Match names another version. ${message}`, {
      type: '/problems/stale-version',
      faults: [{ header: 'If-Match', detail: 'is not the current entity tag' }],
    });
  }
  if (error instanceof NoCustomerToMatchError) {
    return new Problem(412, `If-Match needs a customer. ${message}`, {
      type: '/problems/stale-version',
      faults: [{ header: 'If-Match', detail: 'needs a customer, and there is none' }],
    });
  }
  if (error instanceof CustomerExistsError) {
    return new Problem(412, `If-None-Match allows no customer. ${message}`, {
      type: '/problems/customer-exists',
      faults: [{ header: 'If-None-Match', detail: 'allows no customer, and there is one' }],
    });
  }
  if (error instanceof DuplicateCustomeridError) {
    return new Problem(409, message, {
      type: '/problems/duplicate-customerid',
      members: { ids: error.ids },
    });
  }
  if (error instanceof IdempotencyKeyReusedError) {
    return new Problem(422, message, {
      type: '/problems/reused-idempotency-key',
      faults: [{ header: 'Idempotency-Key', detail: 'belongs to another request' }],
    });
  }
  const ofImport = importProblem(error);
  if (ofImport) return ofImport;
  if (error instanceof DeletionInterruptedError) {
    const { status, headers } = toProblem(error.cause);
    return new Problem(status, message, {
      type: '/problems/interrupted-deletion',
      headers,
      members: { count: error.deleted },
    });
  }
  if (error instanceof RateLimitError) {
    return new Problem(429, message, { headers: { 'retry-after': String(error.retryAfterS) } });
  }
  if (error instanceof UnusableResponseError) return new Problem(502, message);
  if (error instanceof UnavailableError) return unavailable(error);
  if (isTransient(error)) return unavailable(new UnavailableError());
  return new Problem(
    500,
    'A defect of the API made the request fail. Report it with its requestId.',
  );
}

function importProblem(error: unknown): Problem | undefined {
  const { message } = error as Error;
  if (error instanceof ImportNotFoundError) {
    return new Problem(404, message, { type: '/problems/import-not-found' });
  }
  if (error instanceof ImportStateError) {
    const members = error.other === undefined ? {} : { importId: error.other };
    return new Problem(409, message, { type: '/problems/import-state', members });
  }
  if (error instanceof RowsToLeaveOutError) {
    const { counts } = error;
    return new Problem(409, message, { type: '/problems/rows-to-leave-out', members: { counts } });
  }
  if (error instanceof ImportExpiredError) {
    return new Problem(410, message, { type: '/problems/import-expired' });
  }
  if (error instanceof StalePlanError) {
    return new Problem(412, `If-Match names another plan. ${message}`, {
      type: '/problems/stale-plan',
      faults: [{ header: 'If-Match', detail: 'is not the tag of the plan' }],
    });
  }
  if (error instanceof ImportFailedError) {
    const { code, importId } = error;
    const end = /[.?]$/.test(message) ? '' : '.';
    return new Problem(422, `The file cannot be read: ${message}${end}`, {
      type: '/problems/unreadable-file',
      members: { code, importId },
    });
  }
  return undefined;
}

function unavailable({ message, retryAfterS }: UnavailableError): Problem {
  const headers = { 'retry-after': String(retryAfterS) };
  return new Problem(503, `${message} Try again shortly.`, { headers });
}

/** Logs a failure. Lambda's JSON format adds time, level and request id; no personal data. */
export function logFailure(thrown: unknown, { requestContext }: HttpEvent): void {
  const error = thrown instanceof DeletionInterruptedError ? thrown.cause : thrown;
  const { routeKey, requestId, authorizer } = requestContext;
  console[isTransient(error) ? 'warn' : 'error']({
    message: 'Request failed',
    routeKey,
    apiRequestId: requestId,
    merchant: authorizer?.jwt?.claims[claimNames().merchant],
    ...loggable(error),
  });
}

function describe(fault: Fault): string {
  if ('pointer' in fault) return `${fault.pointer || 'the body'} ${fault.detail}`;
  return 'parameter' in fault
    ? `parameter ${fault.parameter} ${fault.detail}`
    : `header ${fault.header} ${fault.detail}`;
}
