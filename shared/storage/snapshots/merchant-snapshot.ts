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
import type { FramesOptions, Snapshot } from './snapshot-reader.ts';
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

type PartsOptions = Pick<FramesOptions, 'descending' | 'withNames' | 'mayStop'>;

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
  readonly #snapshot: Snapshot;
  /** Customers of the snapshot that changed and are to be read, with the log's end as they were seen. */
  readonly #toRead = new Map<number, number>();
  /** Customers that changed and were read; undefined if they do not exist. */
  readonly #read = new Map<number, IndexEntry | undefined>();
  /** Entry of the log before which all changes are seen. */
  #nextEntry: number;
  /** Read units of the log since. */
  #logUnits = 0;
  /** Customers behind the snapshot, as last counted. */
  #newer = 0;

  constructor(merchantId: string, pointer: SnapshotPointer, snapshot: Snapshot) {
    this.#merchantId = merchantId;
    this.pointer = pointer;
    this.#snapshot = snapshot;
    this.#nextEntry = pointer.logEntry;
  }

  /** Customers of the snapshot that changed and are to be read. */
  get changed(): number {
    return this.#toRead.size;
  }

  /** Whether the next snapshot is to be built. */
  get isDue(): boolean {
    const changed = this.#toRead.size + this.#read.size;
    const units = changed * this.#unitsOfGet + this.#newer / ENTRIES_PER_UNIT + this.#logUnits;
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

  /** Notes how many customers were found behind the snapshot. */
  noteNewer(customers: number): void {
    this.#newer = customers;
  }

  /**
   * Yields the customers with ids in a range, in frames with marks for those that meet the filter's
   * condition; in place of frames also ranges, of which the index has to be read: those with many
   * changes, and customers behind the snapshot.
   */
  async *parts(
    { condition }: Pick<CustomerFilter, 'condition'>,
    { from, to }: IdRange,
    options: PartsOptions = {},
  ): AsyncGenerator<SnapshotPart> {
    const { lastId } = this.pointer;
    const within = { from, to: Math.min(to, lastId) };
    const ranges = [...this.#ranges(within)];
    if (to > lastId) ranges.push({ from: Math.max(from, lastId + 1), to, isDense: true });
    // `created` is a range of ids already.
    const filter = condition ? { ...EVERYONE, condition } : EVERYONE;
    for (const { isDense, ...range } of options.descending ? ranges.reverse() : ranges) {
      if (isDense) yield range;
      else yield* this.#frames(filter, range, options);
    }
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
      for await (const frame of this.#snapshot.entries(range)) {
        const end = frame.at(-1)?.id ?? start - 1;
        yield this.#mergeEntries(frame, { from: start, to: end });
        start = end + 1;
      }
      yield this.#mergeEntries([], { from: start, to: range.to });
    }
  }

  async *#frames(
    filter: CustomerFilter,
    range: IdRange,
    options: PartsOptions,
  ): AsyncGenerator<MergedFrame> {
    await this.#readChanged(range);
    const rest = { ...range };
    for await (const frame of this.#snapshot.frames(filter, { ...range, ...options })) {
      if (this.#read.size === 0) {
        yield new MergedFrame(frame);
        continue;
      }
      const { ids } = frame;
      const [first, last] = [ids[0], ids.at(-1)];
      if (first === undefined || last === undefined) continue;
      // What lies between two frames belongs to the second of them.
      const part = options.descending
        ? { from: first, to: rest.to }
        : { from: rest.from, to: last };
      if (options.descending) rest.to = first - 1;
      else rest.from = last + 1;
      yield new MergedFrame(frame, this.#readIn(part), filter);
    }
    const changed = this.#readIn(rest);
    if (changed.length > 0) yield new MergedFrame(undefined, changed, filter);
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
