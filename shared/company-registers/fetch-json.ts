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

/** How long a register may take to answer one request. */
const TIMEOUT_MS = 2_000;
/** After so many look-ups in a row that failed, a register is left alone for a while. */
const FAILURES_IN_ROW = 3;
const LEFT_ALONE_S = 30;
/** What a server says that cannot answer just now. */
const PASSING_STATUSES = [408, 425, 429, 500, 502, 503, 504];

/** An answer of a register; `body` is undefined where there is none that could be expected. */
interface RegisterAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Makes a request and gives what came of it, whatever its status. */
export type Send = (url: string, request?: RequestInit) => Promise<RegisterAnswer>;

/**
 * What all requests to one register have in common: time-out, one retry of what passes by itself,
 * and a circuit breaker, which spares callers the wait and the register the calls.
 *
 * @param work uses `send` for each request it makes.
 * @throws RegisterError where it cannot be asked.
 */
export function guarded(register: string) {
  const breaker = circuitBreaker(handleType(RegisterError), {
    halfOpenAfter: LEFT_ALONE_S * 1_000,
    breaker: new ConsecutiveBreaker(FAILURES_IN_ROW),
  });
  // A register that says when to come back is not asked again before.
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
      throw new RegisterError(`${register} is left alone for a while`, LEFT_ALONE_S);
    }
  };
}

/**
 * What an answer's body has to be.
 *
 * @param from who answers.
 * @throws RegisterError where it is anything else, as an answer of another status is.
 */
export function expectBody<S extends v.GenericSchema>(
  schema: S,
  { status, body }: RegisterAnswer,
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
  if (PASSING_STATUSES.includes(status)) {
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
