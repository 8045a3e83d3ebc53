import {
  BrokenCircuitError,
  circuitBreaker,
  handleWhen,
  type IBreaker,
  retry,
  wrap,
} from 'cockatiel';
import * as v from 'valibot';
import { RegisterError } from './company-register.ts';

/** Time-out of one request. */
const TIMEOUT_MS = 2_000;
/** Numbers whose look-ups fail in a row by an outage, after which the circuit breaker opens. */
const NUMBERS_FAILED = 3;
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
 * Returns a function that runs the requests of a look-up in one register with a time-out, one retry,
 * and a circuit breaker, which spares callers the wait and the register the calls.
 *
 * The circuit breaker is shared by all merchants. It counts outages only, and the numbers that they
 * affect: a register that fails for one number, however often that is looked up, is asked for others.
 *
 * @throws RegisterError if the register has no answer.
 */
export function guarded(register: string) {
  const failed = new Set<string>();
  const distinctNumbers: IBreaker = {
    state: undefined,
    success: () => failed.clear(),
    failure: () => failed.size >= NUMBERS_FAILED,
  };
  const breaker = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: OPEN_CIRCUIT_S * 1_000,
    breaker: distinctNumbers,
  });
  // A register that sends Retry-After is not asked again before.
  const again = retry(
    handleWhen((error) => error instanceof RegisterError && error.retryAfterS === undefined),
    { maxAttempts: 1 },
  );
  const policy = wrap(breaker, again);
  return async <T>(number: string, work: (send: Send) => Promise<T>): Promise<T> => {
    const lookUp = async () => {
      try {
        return await work((url, request) => send(register, url, request));
      } catch (error) {
        if (isOutage(error)) failed.add(number);
        throw error;
      }
    };
    try {
      return await policy.execute(lookUp);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new RegisterError('outage', `${register} is left alone for a while`, OPEN_CIRCUIT_S);
    }
  };
}

function isOutage(error: unknown): boolean {
  return error instanceof RegisterError && error.failure === 'outage';
}

/**
 * Returns the body of a response, validated by its schema.
 *
 * @param from name of the server, for the error.
 * @throws RegisterError if the status is no success, or the body has another form.
 */
export function expectBody<S extends v.GenericSchema>(
  schema: S,
  { status, body }: RegisterResponse,
  from: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const form = body === undefined ? '' : ' in another shape';
  throw new RegisterError('unusable response', `${from} answers ${status}${form}`);
}

async function send(register: string, url: string, request: RequestInit = {}) {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (error) {
    throw new RegisterError('outage', `${register} does not answer: ${(error as Error).name}`);
  }
  const { status, headers } = response;
  if (TRANSIENT_STATUSES.includes(status)) {
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    throw new RegisterError(
      'outage',
      `${register} answers ${status}`,
      seconds > 0 ? Math.ceil(seconds) : undefined,
    );
  }
  if (!response.ok) return { status, body: undefined };
  try {
    return { status, body: JSON.parse(text) as unknown };
  } catch {
    throw new RegisterError('unusable response', `${register} answers ${status} without JSON`);
  }
}
