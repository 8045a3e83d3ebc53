import { BatchGetItemCommand, type KeysAndAttributes } from '@aws-sdk/client-dynamodb';
import { mapConcurrently } from '../../concurrency.ts';
import { type CustomerFilter, EVERYONE } from '../../domain/customer-filter.ts';
import { batchesOf, batchGet } from '../batch-get.ts';
import { customerBytes, UNIT_BYTES } from '../customer-size.ts';
import { dynamodb, TABLE_NAME } from '../dynamodb.ts';
import { type IdRange, rawCustomerKey } from '../table.ts';
import { ENTRY_PROJECTION, toIndexEntry } from './index-entries.ts';
import { readLogTail } from './log-tail.ts';
import { type ChangedEntry, MergedFrame } from './merged-frame.ts';
import type { IndexEntry } from './snapshot-format.ts';
import { RENEWAL_MS } from './snapshot-lifetime.ts';
import type { FrameMatches, FramesOptions, IdsAround, Snapshot } from './snapshot-reader.ts';
import type { SnapshotPointer } from './snapshot-state.ts';

/** Entries of the customer index that a read unit takes. */
export const ENTRIES_PER_UNIT = 57;
/** Part of what the index costs that reading the log may cost, and the read units that it always may. */
const MAX_LOG_SHARE = 0.02;
const MIN_LOG_UNITS = 8;
/**
 * Ids of a block. If the customers of a block that changed cost more to get than the block's entries
 * in the index, these are read.
 */
const BLOCK_IDS = 16_384;
/** Changed customers of a block that are always got, a negligible part of the cost of a block. */
const MIN_GETS = 8;
const CONCURRENT_GETS = 4;
/** Read units of what has changed since a snapshot at which the next one is built. */
const MAX_TAIL_UNITS = 64;

/** Frames with matches that wait until the customers of their ids that changed are read. */
const MAX_WAITING_FRAMES = 8;

interface PartsOptions extends Pick<FramesOptions, 'descending' | 'withNames'> {
  /** How many customers are wanted at first; all if not given. */
  readonly wanted?: number | undefined;
  /** How many customers that changed may have to be read for them. Default: any number. */
  readonly maxChanged?: number | undefined;
}

/** What a snapshot knows of a range of ids, or the range if the index has to be read. */
export type SnapshotPart = MergedFrame | IdRange;

/**
 * A merchant's customers as filters see them: a snapshot of the customer index, and what has changed
 * since according to the change log. Each customer that the log names is read from the table, once
 * for each time that it is named: what was read is kept until then.
 */
export class MerchantSnapshot {
  readonly pointer: SnapshotPointer;
  readonly #merchantId: string;
  readonly #snapshot: Promise<Snapshot>;
  /** Customers of the snapshot that changed and are to be read, with the log's end as they were seen. */
  readonly #toRead = new Map<number, number>();
  /** Customers that changed and were read; undefined if they do not exist. */
  readonly #read = new Map<number, IndexEntry | undefined>();
  /** Entry of the log before which all changes are seen. */
  #nextEntry: number;
  /** Read units of the log since. */
  #logUnits = 0;
  #newer: number | undefined;

  /** @param snapshot may be opened while the log is read. */
  constructor(merchantId: string, pointer: SnapshotPointer, snapshot: Promise<Snapshot>) {
    this.#merchantId = merchantId;
    this.pointer = pointer;
    this.#snapshot = snapshot;
    this.#nextEntry = pointer.logEntry;
  }

  /** Whether the next snapshot is to be built. */
  get isDue(): boolean {
    const changed = this.#toRead.size + this.#read.size;
    const units =
      changed * this.#unitsOfGet + (this.#newer ?? 0) / ENTRIES_PER_UNIT + this.#logUnits;
    return units > MAX_TAIL_UNITS || this.pointer.builtMs < Date.now() - RENEWAL_MS;
  }

  /**
   * Reads from the log what has changed since. Returns false if that would cost too much, or if the log
   * has a gap; the snapshot must not be used then.
   *
   * @param nextChange number of the log's next change, or a lower one.
   * @param maxUnits read units that it may take. Default: a small part of what the index costs.
   */
  async follow(
    nextChange: number,
    maxUnits = Math.max(MIN_LOG_UNITS, this.#unitsOfIndex * MAX_LOG_SHARE),
  ): Promise<boolean> {
    const tail = await readLogTail(this.#merchantId, this.#nextEntry, maxUnits);
    const { lastId } = this.pointer;
    for (const id of tail.ids) {
      if (id > lastId) continue;
      this.#toRead.set(id, Math.max(this.#toRead.get(id) ?? 0, tail.next));
    }
    // Another call may have read further.
    this.#nextEntry = Math.max(this.#nextEntry, tail.next);
    this.#logUnits += tail.units;
    return tail.isComplete && tail.next >= nextChange;
  }

  /** Customers behind the snapshot, as last counted; undefined if they were not. */
  get newer(): number | undefined {
    return this.#newer;
  }

  /** Returns between which of the snapshot's ids a time begins: that does not change. */
  async idsAround(time: number): Promise<IdsAround | undefined> {
    return (await this.#snapshot).idsAround(time);
  }

  /** Notes how many customers were found behind the snapshot. */
  noteNewer(customers: number): void {
    this.#newer = customers;
  }

  /**
   * Yields the customers with ids in a range, in frames with marks for those that meet the filter's
   * condition; in place of frames also ranges, of which the index has to be read: those with many
   * changes, and customers behind the snapshot.
   *
   * @returns the range that is left, if more customers that changed would have to be read than may be.
   */
  async *parts(
    { condition }: Pick<CustomerFilter, 'condition'>,
    { from, to }: IdRange,
    options: PartsOptions = {},
  ): AsyncGenerator<SnapshotPart, IdRange | undefined> {
    const { lastId } = this.pointer;
    const within = { from, to: Math.min(to, lastId) };
    const ranges = [...this.#ranges(within)];
    if (to > lastId) ranges.push({ from: Math.max(from, lastId + 1), to, isDense: true });
    // `created` is a range of ids already.
    const filter = condition ? { ...EVERYONE, condition } : EVERYONE;
    const mayBeDense = options.maxChanged === undefined;
    for (const { isDense, ...range } of options.descending ? ranges.reverse() : ranges) {
      const isNewer = range.from > lastId;
      if (isDense && !isNewer && !mayBeDense) return restOf({ from, to }, range, options);
      if (isDense) yield range;
      else {
        const left = yield* this.#frames(filter, range, options);
        if (left) return restOf({ from, to }, left, options);
      }
    }
    return undefined;
  }

  /** Yields all entries, by ascending id; in place of entries also ranges, as of {@link parts}. */
  async *entries(): AsyncGenerator<IndexEntry[] | IdRange> {
    for (const { isDense, ...range } of this.#ranges({ from: 1, to: this.pointer.lastId })) {
      if (isDense) {
        yield range;
        continue;
      }
      await this.#readChanged(range);
      let start = range.from;
      for await (const frame of (await this.#snapshot).entries(range)) {
        const end = frame.at(-1)?.id ?? start - 1;
        yield this.#mergeEntries(frame, { from: start, to: end });
        start = end + 1;
      }
      yield this.#mergeEntries([], { from: start, to: range.to });
    }
  }

  /**
   * Yields the frames of a range. What changed is read while the first frame is, or, if the caller may
   * stop, up to the frame that has enough matches: the customers behind it do not matter then.
   *
   * @returns as {@link parts} does.
   */
  async *#frames(
    filter: CustomerFilter,
    range: IdRange,
    { wanted = Number.POSITIVE_INFINITY, maxChanged, ...options }: PartsOptions,
  ): AsyncGenerator<MergedFrame, IdRange | undefined> {
    const mayStop = Number.isFinite(wanted);
    const isRead = mayStop ? undefined : this.#readChanged(range);
    // A failure is thrown when it is awaited; until then it must not count as unhandled.
    isRead?.catch(() => {});
    const rest = { ...range };
    let waiting: FrameMatches[] = [];
    let matches = 0;
    const frames = (await this.#snapshot).frames(filter, { ...range, ...options, mayStop });
    for await (const frame of frames) {
      const count = mayStop ? countOf(frame) : 0;
      // Without a match it is as the range between frames.
      if (mayStop && count === 0) continue;
      waiting.push(frame);
      matches += count;
      if (mayStop && matches < wanted && waiting.length < MAX_WAITING_FRAMES) continue;
      const part = options.descending
        ? { from: frame.firstId, to: rest.to }
        : { from: rest.from, to: frame.lastId };
      if (maxChanged !== undefined && this.#changedIn(part) > maxChanged) return rest;
      await (isRead ?? this.#readChanged(part));
      yield* this.#merge(waiting, rest, filter, options);
      waiting = [];
      matches = 0;
    }
    if (maxChanged !== undefined && this.#changedIn(rest) > maxChanged) return rest;
    await (isRead ?? this.#readChanged(rest));
    yield* this.#merge(waiting, rest, filter, options);
    const changed = this.#readIn(rest);
    if (changed.length > 0) yield new MergedFrame(undefined, changed, filter);
    return undefined;
  }

  /** Yields frames with what changed in their ids, and takes these from the range that is left. */
  *#merge(
    frames: readonly FrameMatches[],
    rest: { from: number; to: number },
    filter: CustomerFilter,
    { descending = false }: PartsOptions,
  ): Generator<MergedFrame> {
    for (const frame of frames) {
      // What lies between two frames belongs to the second of them.
      const part = descending
        ? { from: frame.firstId, to: rest.to }
        : { from: rest.from, to: frame.lastId };
      if (descending) rest.to = part.from - 1;
      else rest.from = part.to + 1;
      yield new MergedFrame(frame, this.#readIn(part), filter);
    }
  }

  /** Returns how many customers of a range changed and are to be read. */
  #changedIn({ from, to }: IdRange): number {
    let count = 0;
    for (const id of this.#toRead.keys()) if (id >= from && id <= to) count += 1;
    return count;
  }

  /** Returns customers that changed and were read, by ascending id. */
  #readIn({ from, to }: IdRange): ChangedEntry[] {
    return [...this.#read]
      .filter(([id]) => id >= from && id <= to)
      .sort(([a], [b]) => a - b)
      .map(([id, entry]) => ({ id, entry }));
  }

  #mergeEntries(entries: readonly IndexEntry[], range: IdRange): IndexEntry[] {
    const changed = this.#readIn(range);
    if (changed.length === 0) return [...entries];
    const ids = new Set(changed.map(({ id }) => id));
    const kept = entries.filter(({ id }) => !ids.has(id));
    const added = changed.flatMap(({ entry }) => entry ?? []);
    return [...kept, ...added].sort((a, b) => a.id - b.id);
  }

  /** Splits a range where blocks with many changes begin and end. */
  *#ranges({ from, to }: IdRange): Generator<IdRange & { readonly isDense: boolean }> {
    const counts = new Map<number, number>();
    for (const id of this.#toRead.keys()) {
      const block = Math.floor(id / BLOCK_IDS);
      counts.set(block, (counts.get(block) ?? 0) + 1);
    }
    const { customers, lastId } = this.pointer;
    const maxGets = (block: number) => {
      const ids = Math.min(BLOCK_IDS, lastId + 1 - block * BLOCK_IDS);
      const units = ((customers / lastId) * ids) / ENTRIES_PER_UNIT;
      return Math.max(MIN_GETS, units / this.#unitsOfGet);
    };
    const dense = [...counts]
      .filter(([block, count]) => count > maxGets(block))
      .map(([block]) => block);
    let start = from;
    for (const block of dense.sort((a, b) => a - b)) {
      const first = Math.max(start, block * BLOCK_IDS);
      const last = Math.min(to, (block + 1) * BLOCK_IDS - 1);
      if (first > last) continue;
      if (first > start) yield { from: start, to: first - 1, isDense: false };
      yield { from: first, to: last, isDense: true };
      start = last + 1;
    }
    if (start <= to) yield { from: start, to, isDense: false };
  }

  /** Reads the customers of a range that changed, consistently. */
  async #readChanged({ from, to }: IdRange): Promise<void> {
    const wanted = [...this.#toRead].filter(([id]) => id >= from && id <= to);
    const batches = batchesOf(wanted.map(([id]) => id));
    const seen = new Map(wanted);
    await mapConcurrently(batches, CONCURRENT_GETS, async (ids) => {
      const found = await readEntries(this.#merchantId, ids);
      for (const id of ids) {
        // It has changed again since, as another call has seen.
        if (this.#toRead.get(id) !== seen.get(id)) continue;
        this.#toRead.delete(id);
        this.#read.set(id, found.get(id));
      }
    });
  }

  get #unitsOfIndex(): number {
    return this.pointer.customers / ENTRIES_PER_UNIT;
  }

  get #unitsOfGet(): number {
    return Math.ceil(customerBytes(this.#merchantId) / UNIT_BYTES);
  }
}

/** Returns what is left of a range from the beginning of a part on, in the order in which it is read. */
function restOf({ from, to }: IdRange, part: IdRange, { descending }: PartsOptions): IdRange {
  return descending ? { from, to: part.to } : { from: part.from, to };
}

function countOf({ marks }: FrameMatches): number {
  let count = 0;
  // Ten times faster than for … of.
  for (let index = 0; index < marks.length; index += 1) count += marks[index] as number;
  return count;
}

/** Returns the entries of customers, read consistently; those of customers that do not exist are missing. */
async function readEntries(
  merchantId: string,
  ids: readonly number[],
): Promise<ReadonlyMap<number, IndexEntry>> {
  const entries = new Map<number, IndexEntry>();
  const keys: KeysAndAttributes = {
    ...ENTRY_PROJECTION,
    Keys: ids.map((id) => rawCustomerKey(merchantId, id)),
    ConsistentRead: true,
  };
  await batchGet(keys, async (wanted) => {
    const { Responses, UnprocessedKeys } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: { [TABLE_NAME]: wanted } }),
    );
    for (const item of Responses?.[TABLE_NAME] ?? []) {
      const entry = toIndexEntry(item);
      entries.set(entry.id, entry);
    }
    return UnprocessedKeys?.[TABLE_NAME];
  });
  return entries;
}
