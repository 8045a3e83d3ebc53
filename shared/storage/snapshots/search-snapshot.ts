import type { CustomerFilter } from '../../domain/customer-filter.ts';
import type { IdRange } from '../table.ts';
import type { SnapshotPart } from './merchant-snapshot.ts';
import type { MergedFrame } from './merged-frame.ts';
import { forgetSnapshot, openMerchantSnapshot } from './open-merchant-snapshot.ts';

// All that the customer index needs of snapshots: one file, which a cold start does not load.
export { idsAroundInSnapshot, openMerchantSnapshot } from './open-merchant-snapshot.ts';

/** Customers behind a snapshot that are read ahead, though the search may not need them: a read unit. */
const MAX_NEWER_AHEAD = 57;

/** A search, and what is taken from frames of a snapshot or from the customer index. */
export interface SnapshotSearch<T> {
  readonly merchantId: string;
  readonly filter: CustomerFilter;
  readonly withNames?: boolean;
  readonly ofFrame: (frame: MergedFrame) => T;
  /** Yields what the index has in a range, by ascending id; `note` gets how many entries were read. */
  readonly readIndex: (range: IdRange, note: (entries: number) => void) => AsyncGenerator<T>;
  /** Called with whether a snapshot is used. */
  readonly noteUse: (isUsed: boolean) => void;
}

export interface SnapshotOptions {
  /** How many customers the caller expects to need. */
  readonly wanted: number;
  readonly descending?: boolean;
  /** Customers that changed that may have to be read for them. Default: any number. */
  readonly maxChanged?: number | undefined;
}

/**
 * Yields what a search finds in a merchant's snapshot, and in the index what the snapshot leaves to it.
 *
 * @returns the range in which the index has to be read: all if there is no snapshot, and the rest if
 * it could not be read, or if more changed.
 */
export async function* matchesInSnapshot<T>(
  search: SnapshotSearch<T>,
  range: IdRange,
  options: SnapshotOptions,
): AsyncGenerator<T, IdRange> {
  const { merchantId, filter, withNames = false } = search;
  const snapshot = await openMerchantSnapshot(merchantId);
  search.noteUse(snapshot !== undefined);
  if (!snapshot) return range;
  const rest = { ...range };
  const noteRead = ({ from, to }: IdRange) => {
    if (options.descending) rest.to = Math.min(rest.to, from - 1);
    else rest.from = Math.max(rest.from, to + 1);
  };
  let lastFrame: MergedFrame | undefined;
  const parts = snapshot.parts(filter, range, { ...options, withNames });
  const { lastId } = snapshot.pointer;
  const { descending = false, wanted } = options;
  /** Begins to read a range of the index. */
  const read = (part: IdRange): Reading<T> => {
    let entries = 0;
    const found = search.readIndex(part, (count) => {
      entries += count;
    });
    const first = found.next();
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    first.catch(() => {});
    return { found, first, entries: () => entries };
  };
  // What is behind the snapshot is read together with what has changed, if it is needed or cheap.
  const newer = { from: Math.max(range.from, lastId + 1), to: range.to };
  const hasNewer = newer.from <= newer.to;
  const isNeeded = !Number.isFinite(wanted) || (snapshot.newer ?? Infinity) <= MAX_NEWER_AHEAD;
  let ahead = hasNewer && !descending && isNeeded ? read(newer) : undefined;
  /** What follows customers behind the snapshot who are too few for the caller. */
  let next: ReturnType<typeof nextPart> | undefined;
  try {
    for (;;) {
      const part = await (next ?? nextPart(parts));
      next = undefined;
      if (part instanceof Error) {
        // Not before: the ids of a frame are unpacked for it.
        if (lastFrame) noteRead({ from: lastFrame.firstId, to: lastFrame.lastId });
        forgetSnapshot(merchantId, part);
        search.noteUse(false);
        return rest;
      }
      if ('left' in part) {
        if (part.left) return part.left;
        noteRead(range);
        return rest;
      }
      if ('marks' in part) {
        yield search.ofFrame(part);
        lastFrame = part;
        continue;
      }
      const isNewer = part.from > lastId;
      const { first, found, entries } = (isNewer && ahead) || read(part);
      if (isNewer) ahead = undefined;
      if (descending && isNewer && (snapshot.newer ?? wanted) < wanted) next = nextPart(parts);
      const pages = joined(first, found);
      if (descending) yield* await reversed(pages);
      else yield* pages;
      if (isNewer) snapshot.noteNewer(entries());
      noteRead(part);
      lastFrame = undefined;
    }
  } finally {
    await Promise.all([parts.return(undefined), ahead?.found.return(undefined)]);
  }
}

/** A range of the index that is being read. */
interface Reading<T> {
  readonly first: Promise<IteratorResult<T>>;
  readonly found: AsyncGenerator<T>;
  /** Returns how many entries were read. */
  readonly entries: () => number;
}

async function reversed<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const page of pages) array.unshift(page);
  return array;
}

async function* joined<T>(
  first: Promise<IteratorResult<T>>,
  rest: AsyncGenerator<T>,
): AsyncGenerator<T> {
  const { done, value } = await first;
  if (done) return;
  yield value;
  yield* rest;
}

/** Returns the next part, at the end the range that is left, or why it could not be read. */
async function nextPart(
  parts: AsyncGenerator<SnapshotPart, IdRange | undefined>,
): Promise<SnapshotPart | { readonly left: IdRange | undefined } | Error> {
  try {
    const { done, value } = await parts.next();
    return done ? { left: value } : value;
  } catch (error) {
    return error as Error;
  }
}
