/**
 * The values of `source` until the deadline; also one that keeps waiting ends then.
 *
 * @throws the deadline's reason.
 */
export async function* until<T>(
  deadline: AbortSignal,
  source: AsyncGenerator<T>,
): AsyncGenerator<T> {
  for (;;) {
    const { done, value } = await before(deadline, source.next());
    if (done) return;
    yield value;
  }
}

/**
 * The value, unless it comes after the deadline. Nothing of it is kept until then, as a race
 * against one promise of the deadline would.
 *
 * @throws the deadline's reason.
 */
export function before<T>(deadline: AbortSignal, value: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(deadline.reason);
    if (deadline.aborted) end();
    deadline.addEventListener('abort', end, { once: true });
    value.then(resolve, reject).finally(() => deadline.removeEventListener('abort', end));
  });
}
