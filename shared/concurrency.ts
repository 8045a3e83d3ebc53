/**
 * Does something with each of `inputs`, at most `width` at once, and gives the results in the
 * order of the inputs. An asynchronous source is read only as fast as the work goes on. The first
 * failure, of the source or of the work, fails the whole, once nothing is under way any more.
 */
export async function inParallel<I, O>(
  inputs: Iterable<I> | AsyncIterable<I>,
  width: number,
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
  const outcomes = await Promise.allSettled(Array.from({ length: width }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
  return results;
}

/**
 * Does something with each of `inputs` and gives the results in the order of the inputs, one by
 * one. At most `width` are under way or waiting to be taken; when the taker stops, no more begin.
 */
export async function* prefetched<I, O>(
  inputs: Iterable<I> | AsyncIterable<I>,
  width: number,
  work: (input: I) => Promise<O>,
): AsyncGenerator<O> {
  const underWay: Promise<O>[] = [];
  const begin = (input: I) => {
    const result = work(input);
    // A failure is thrown when its turn comes; until then nobody waits for it.
    result.catch(() => {});
    underWay.push(result);
  };
  try {
    for await (const input of inputs) {
      begin(input);
      if (underWay.length === width) yield (await underWay.shift()) as O;
    }
    while (underWay.length > 0) yield (await underWay.shift()) as O;
  } finally {
    await Promise.allSettled(underWay);
  }
}

async function* numbered<I>(inputs: Iterable<I> | AsyncIterable<I>): AsyncGenerator<[number, I]> {
  let index = 0;
  for await (const input of inputs) {
    yield [index, input];
    index += 1;
  }
}
