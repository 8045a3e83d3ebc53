import { type CustomerFilter, EVERYONE, meetsFilter } from '../../domain/customer-filter.ts';
import type { IndexEntry } from './snapshot-format.ts';
import type { FrameMatches } from './snapshot-reader.ts';

/** A customer that changed after a snapshot was built: as it is now, if it exists. */
export interface ChangedEntry {
  readonly id: number;
  readonly entry: IndexEntry | undefined;
}

/** A customer that was found, with name and customerid, folded. */
export interface NamedId {
  readonly id: number;
  readonly nameText: string | undefined;
}

/** Customers of a frame of a snapshot that meet a filter, with what has changed since. */
export class MergedFrame {
  /** How many meet the filter. */
  readonly count: number;
  readonly #frame: FrameMatches | undefined;
  /** 1 for each customer of the snapshot's frame that meets the filter, and has not changed. */
  readonly marks: Uint8Array;
  readonly #changed: readonly ChangedEntry[];
  readonly #added: readonly IndexEntry[];

  /** @param changed by ascending id; they take the place of the frame's. */
  constructor(
    frame: FrameMatches | undefined,
    changed: readonly ChangedEntry[] = [],
    filter: CustomerFilter = EVERYONE,
  ) {
    this.#frame = frame;
    this.marks = frame?.marks ?? new Uint8Array();
    this.#changed = changed;
    this.#added = changed.flatMap(({ entry }) =>
      entry && meetsFilter(filter, entry) ? [entry] : [],
    );
    if (frame && changed.length > 0) {
      for (const { id } of changed) {
        const index = indexOf(frame.ids, id);
        if (index !== undefined) this.marks[index] = 0;
      }
    }
    let count = this.#added.length;
    // Ten times faster than for … of.
    for (let index = 0; index < this.marks.length; index += 1) count += this.marks[index] as number;
    this.count = count;
  }

  /** The lowest id that it may have. */
  get firstId(): number {
    const first = this.#frame?.firstId ?? Number.POSITIVE_INFINITY;
    return Math.min(first, this.#changed[0]?.id ?? Number.POSITIVE_INFINITY);
  }

  /** The highest id that it may have. */
  get lastId(): number {
    return Math.max(this.#frame?.lastId ?? 0, this.#changed.at(-1)?.id ?? 0);
  }

  /** Returns the ids of those that meet the filter, ascending. */
  ids(): number[] {
    const found: number[] = [];
    const { ids } = this.#frame ?? {};
    for (let index = 0; ids && index < ids.length; index += 1) {
      if (this.marks[index]) found.push(ids[index] as number);
    }
    if (this.#added.length === 0) return found;
    found.push(...this.#added.map(({ id }) => id));
    return found.sort((a, b) => a - b);
  }

  /** Returns those that meet the filter, by ascending id. */
  names(): NamedId[] {
    const found: NamedId[] = this.#added.map(({ id, nameText }) => ({ id, nameText }));
    const frame = this.#frame;
    for (let index = 0; frame && index < frame.marks.length; index += 1) {
      if (!this.marks[index]) continue;
      found.push({ id: frame.ids[index] as number, nameText: frame.nameText(index) });
    }
    return found.sort((a, b) => a.id - b.id);
  }
}

/** Returns the index of an id in ascending ids. */
function indexOf(ids: Float64Array, id: number): number | undefined {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? low : undefined;
}
