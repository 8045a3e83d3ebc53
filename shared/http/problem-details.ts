import { STATUS_CODES } from 'node:http';

/** What is wrong, and where: in the body (JSON pointer, RFC 6901), a parameter or a header. */
export type ProblemDetail =
  | { readonly pointer: string; readonly detail: string }
  | { readonly parameter: string; readonly detail: string }
  | { readonly header: string; readonly detail: string };

/**
 * A failure that the caller is told of, as problem details (RFC 9457). Anything else that is
 * thrown is a defect or an outage, and its text stays inside.
 */
export class Problem extends Error {
  readonly status: number;
  readonly errors: readonly ProblemDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    options: { errors?: readonly ProblemDetail[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }

  /** The response's body; `requestId` finds the request in the logs. */
  toJson(requestId: string) {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status],
      status: this.status,
      detail: this.message,
      ...(this.errors.length > 0 && { errors: this.errors }),
      requestId,
    };
  }
}

/** Most places that a refusal names: a small request should not fetch a large answer. */
const MAX_ERRORS_TOLD = 100;

/** 400 for what is wrong at known places of the request; names the first of them. */
export function badRequest(errors: readonly ProblemDetail[]): Problem {
  const detail =
    errors.length === 1
      ? `The request is not valid: ${describe(errors[0] as ProblemDetail)}.`
      : `The request is not valid in ${errors.length} places; see errors.`;
  return new Problem(400, detail, { errors: errors.slice(0, MAX_ERRORS_TOLD) });
}

/** 400 for one wrong query or path parameter. */
export function badParameter(parameter: string, detail: string): Problem {
  return badRequest([{ parameter, detail }]);
}

/** 400 for one wrong header. */
export function badHeader(header: string, detail: string): Problem {
  return badRequest([{ header, detail }]);
}

/** 404 for a customer that the merchant does not have. */
export function customerNotFound(id: number): Problem {
  return new Problem(404, `There is no customer ${id}.`);
}

/** 503 for an outage or overload behind the API; the request may be sent again. */
export function unavailable(detail = 'The register is busy or cannot be reached.'): Problem {
  return new Problem(503, `${detail} Try again shortly.`, { headers: { 'retry-after': '2' } });
}

function describe(error: ProblemDetail): string {
  if ('pointer' in error)
    return error.pointer ? `${error.pointer} ${error.detail}` : `the body ${error.detail}`;
  return 'parameter' in error
    ? `parameter ${error.parameter} ${error.detail}`
    : `header ${error.header} ${error.detail}`;
}
