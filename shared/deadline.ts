/**
 * The values of `source` until the deadline; also one that keeps waiting ends then.
 *
 * @throws the deadline's reason.
 */
export async function* until<T>(
  deadline: AbortSignal,
  source: AsyncGenerator<T>,
): AsyncGenerator<T> {
  const over = overAt(deadline);
  for (;;) {
    const { done, value } = await Promise.race([source.next(), over]);
    if (done) return;
    yield value;
  }
}

/** The value, unless it comes after the deadline. @throws the deadline's reason then. */
export function before<T>(deadline: AbortSignal, value: Promise<T>): Promise<T> {
  return Promise.race([value, overAt(deadline)]);
}

function overAt(deadline: AbortSignal): Promise<never> {
  const over = new Promise<never>((_, reject) => {
    if (deadline.aborted) reject(deadline.reason);
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
  });
  // Nobody may be waiting any more when it comes.
  over.catch(() => {});
  return over;
}
