/**
 * Does something with each of `inputs`, at most `width` at once, and gives the results in the
 * order of the inputs. The first failure fails the whole, once nothing is under way any more.
 */
export async function inParallel<I, O>(
  inputs: readonly I[],
  width: number,
  work: (input: I) => Promise<O>,
): Promise<O[]> {
  const results = new Array<O>(inputs.length);
  const remaining = inputs.entries();
  let failed = false;
  const worker = async () => {
    for (const [index, input] of remaining) {
      if (failed) return;
      try {
        results[index] = await work(input);
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
