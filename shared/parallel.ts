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

async function* numbered<I>(inputs: Iterable<I> | AsyncIterable<I>): AsyncGenerator<[number, I]> {
  let index = 0;
  for await (const input of inputs) {
    yield [index, input];
    index += 1;
  }
}
