import { mapAhead } from '../concurrency.ts';
import type { IdRange } from './table.ts';

/** One page of a query over a range of ids. */
export interface RangePage<T> {
  readonly value: T;
  /** Size of the page, in any unit; only sizes of one query are compared. */
  readonly size: number;
  /** Last id that the page evaluated, if it did not reach the end of the range. */
  readonly lastEvaluatedId: number | undefined;
}

/**
 * Pages that are read concurrently, or wait to be consumed. A merchant has one partition, which
 * gives about 24 MB a second (3,000 read units), and more only after a while: a few concurrent
 * reads use all of that, and more would throttle each other.
 */
const CONCURRENT_READS = 4;
/** Ranges are smaller than a page, since a range that needs a second page waits for it. */
const RANGE_SHARE_OF_PAGE = 0.9;

/**
 * Reads a range of ids concurrently and yields the pages in order. DynamoDB returns the key of the
 * next page only with a page, so that pages of one query must be read one by one. The first page
 * shows about how many ids fill a page; the rest is then read as queries of so many ids each.
 *
 * @param newestId returns the highest id in use; called only if one page is not enough.
 * @param elsewhere yields what can be read in another way if one page is not enough, and returns the
 * rest of the range. Default: all is the rest.
 */
export async function* queryInParallel<T>(
  range: IdRange,
  readPage: (range: IdRange) => Promise<RangePage<T>>,
  newestId: () => Promise<number>,
  elsewhere?: (range: IdRange) => AsyncGenerator<T, IdRange>,
): AsyncGenerator<T> {
  if (range.from > range.to) return;
  const first = await readPage(range);
  yield first.value;
  if (first.lastEvaluatedId === undefined) return;
  let rest = { from: first.lastEvaluatedId + 1, to: range.to };
  let span = Math.ceil((rest.from - range.from) * RANGE_SHARE_OF_PAGE);
  const newest = await newestId();
  if (elsewhere) rest = yield* elsewhere(rest);
  const start = rest.from;
  const end = Math.min(rest.to, newest);

  function* ranges(): Generator<IdRange> {
    for (let from = start; from <= end; ) {
      const to = Math.min(end, from + span - 1);
      yield { from, to };
      from = to + 1;
    }
  }
  async function readRange({ from, to }: IdRange): Promise<T[]> {
    const values: T[] = [];
    let size = 0;
    let next: number | undefined = from;
    while (next !== undefined) {
      const page: RangePage<T> = await readPage({ from: next, to });
      values.push(page.value);
      size += page.size;
      next = page.lastEvaluatedId === undefined ? undefined : page.lastEvaluatedId + 1;
    }
    // Adapts to ranges with many deleted customers, or with customers of other sizes.
    if (values.length > 1) span = Math.ceil(span / values.length);
    else if (size < first.size / 2) span *= 2;
    return values;
  }
  for await (const values of mapAhead(ranges(), CONCURRENT_READS, readRange)) yield* values;
}
