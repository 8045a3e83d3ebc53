/**
 * Runs `work` on each input, at most `concurrency` at a time, and returns the results in the order
 * of the inputs. The first failure fails the whole, after everything under way has ended.
 */
export async function mapConcurrently<I, O>(
  inputs: Iterable<I> | AsyncIterable<I>,
  concurrency: number,
  work: (input: I, index: number) => Promise<O>,
): Promise<O[]> {
  const results: O[] = [];
  const remaining = numbered(inputs);
  let failed = false;
  const worker = async () => {
    for await (const [index, input] of remaining) {
      if (failed) return;
      try {
        results[index] = await work(input, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  return results;
}

/**
 * Runs `work` on each input and yields the results in the order of the inputs. At most
 * `concurrency` are under way or waiting to be consumed; when the consumer stops, no more start.
 */
export async function* mapAhead<I, O>(
  inputs: Iterable<I> | AsyncIterable<I>,
  concurrency: number,
  work: (input: I) => Promise<O>,
): AsyncGenerator<O> {
  const pending: Promise<O>[] = [];
  const start = (input: I) => {
    const result = work(input);
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    result.catch(() => {});
    pending.push(result);
  };
  try {
    for await (const input of inputs) {
      start(input);
      if (pending.length === concurrency) yield (await pending.shift()) as O;
    }
    while (pending.length > 0) yield (await pending.shift()) as O;
  } finally {
    await Promise.allSettled(pending);
  }
}

/**
 * Yields the values of `source` until the deadline, even if the source is still waiting then.
 *
 * @throws the deadline's reason.
 */
export async function* untilDeadline<T>(
  deadline: AbortSignal,
  source: AsyncGenerator<T>,
): AsyncGenerator<T> {
  for (;;) {
    const { done, value } = await beforeDeadline(deadline, source.next());
    if (done) return;
    yield value;
  }
}

/**
 * Resolves as `value` does if that is before the deadline. The listener goes with the value: a
 * race against one promise of the deadline would keep each value until the deadline.
 *
 * @throws the deadline's reason.
 */
export function beforeDeadline<T>(deadline: AbortSignal, value: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(deadline.reason);
    if (deadline.aborted) end();
    deadline.addEventListener('abort', end, { once: true });
    value.then(resolve, reject).finally(() => deadline.removeEventListener('abort', end));
  });
}

async function* numbered<I>(inputs: Iterable<I> | AsyncIterable<I>): AsyncGenerator<[number, I]> {
  let index = 0;
  for await (const input of inputs) {
    yield [index, input];
    index += 1;
  }
}
