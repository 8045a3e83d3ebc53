import { prefetched } from '../concurrency.ts';

/** A stretch of ids, both ends included. */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

/** The highest id that there can be; JSON's numbers are exact up to there. */
export const LAST_ID = Number.MAX_SAFE_INTEGER;

/** What DynamoDB gives of a stretch in one page. */
export interface RangePage<T> {
  readonly value: T;
  /** How much there was on the page; what is counted does not matter here. */
  readonly size: number;
  /** Last id the page has seen, where it did not come to the end of the stretch. */
  readonly reached: number | undefined;
}

/**
 * Reads under way at once, or done and waiting for their turn. A merchant has one partition, which
 * gives about 24 MB a second (3,000 read units), and more only after a while: a few reads at once
 * get all of that, more would get each other throttled.
 */
const READS_AHEAD = 4;
/** Ranges are somewhat smaller than a page, since one that needs a second page waits for it. */
const RANGE_OF_PAGE = 0.9;

/**
 * Reads a stretch of ids in order, a page at a time. DynamoDB tells where a page ends only with
 * the page, so that within a range one follows the other. The first page tells about how many ids
 * fill one; the rest is then read in ranges of so many ids, several at once.
 *
 * @param newestId finds the last id there is; asked only where one page does not do.
 */
export async function* readInOrder<T>(
  stretch: IdRange,
  readPage: (range: IdRange) => Promise<RangePage<T>>,
  newestId: () => Promise<number>,
): AsyncGenerator<T> {
  if (stretch.from > stretch.to) return;
  const first = await readPage(stretch);
  yield first.value;
  if (first.reached === undefined) return;
  const start = first.reached + 1;
  const end = Math.min(stretch.to, await newestId());
  let span = Math.ceil((start - stretch.from) * RANGE_OF_PAGE);

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
      next = page.reached === undefined ? undefined : page.reached + 1;
    }
    // Where many were deleted, or customers are of other lengths, other ranges fill a page.
    if (values.length > 1) span = Math.ceil(span / values.length);
    else if (size < first.size / 2) span *= 2;
    return values;
  }
  for await (const values of prefetched(ranges(), READS_AHEAD, readRange)) yield* values;
}
