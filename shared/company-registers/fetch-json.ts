import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
  handleWhen,
  retry,
  wrap,
} from 'cockatiel';
import * as v from 'valibot';
import { RegisterError } from './company-register.ts';

/** Time-out of one request. */
const TIMEOUT_MS = 2_000;
/** Failed look-ups in a row after which the circuit breaker opens. */
const FAILURES_IN_ROW = 3;
const OPEN_CIRCUIT_S = 30;
/** Statuses of transient failures. */
const TRANSIENT_STATUSES = [408, 425, 429, 500, 502, 503, 504];

/** Response of a register; `body` is undefined unless the status is a success. */
interface RegisterResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Sends a request and returns the response, unless its status is transient. */
export type Send = (url: string, request?: RequestInit) => Promise<RegisterResponse>;

/**
 * Returns a function that runs requests to one register with a time-out, one retry of transient
 * failures, and a circuit breaker, which spares callers the wait and the register the calls.
 *
 * @throws RegisterError if the register is not available.
 */
export function guarded(register: string) {
  const breaker = circuitBreaker(handleType(RegisterError), {
    halfOpenAfter: OPEN_CIRCUIT_S * 1_000,
    breaker: new ConsecutiveBreaker(FAILURES_IN_ROW),
  });
  // A register that sends Retry-After is not asked again before.
  const again = retry(
    handleWhen((error) => error instanceof RegisterError && error.retryAfterS === undefined),
    { maxAttempts: 1 },
  );
  const policy = wrap(breaker, again);
  return async <T>(work: (send: Send) => Promise<T>): Promise<T> => {
    try {
      return await policy.execute(() => work((url, request) => send(register, url, request)));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new RegisterError(`${register} is left alone for a while`, OPEN_CIRCUIT_S);
    }
  };
}

/**
 * Returns the body of a response, validated by its schema.
 *
 * @param from name of the server, for the error.
 * @throws RegisterError if the body has another form, as of a response with another status.
 */
export function expectBody<S extends v.GenericSchema>(
  schema: S,
  { status, body }: RegisterResponse,
  from: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (!result.success) throw new RegisterError(`${from} answers ${status} in another shape`);
  return result.output;
}

async function send(register: string, url: string, request: RequestInit = {}) {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (error) {
    throw new RegisterError(`${register} does not answer: ${(error as Error).name}`);
  }
  const { status, headers } = response;
  if (TRANSIENT_STATUSES.includes(status)) {
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    throw new RegisterError(
      `${register} answers ${status}`,
      seconds > 0 ? Math.ceil(seconds) : undefined,
    );
  }
  if (!response.ok) return { status, body: undefined };
  try {
    return { status, body: JSON.parse(text) as unknown };
  } catch {
    throw new RegisterError(`${register} answers no JSON`);
  }
}
