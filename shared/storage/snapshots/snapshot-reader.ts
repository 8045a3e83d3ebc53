import type { CustomerFilter, TimeRange } from '../../domain/customer-filter.ts';
import { LAST_ID } from '../table.ts';
import { unpackBlock } from './blocks.ts';
import { decodeDeltas, fromFlags } from './columns.ts';
import { type Columns, toEvaluation } from './evaluate-condition.ts';
import {
  decodeHead,
  type FrameInfo,
  type IndexEntry,
  SnapshotDamagedError,
  TEXT_BLOCKS,
  type TextBlock,
} from './snapshot-format.ts';
import { type KeptBytes, SnapshotMemory } from './snapshot-memory.ts';
import { TextColumn } from './text-column.ts';

/** Reads a snapshot's file. */
export interface RangeReader {
  /**
   * Returns the bytes from `from` up to `to`, which is not included.
   *
   * @throws any error if they cannot be read: the call that needs them is rejected with it.
   */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** Which entries to read. */
interface IdsOptions {
  /** First id; included. Default: the first. */
  readonly from?: number;
  /** Last id; included. Default: the last. */
  readonly to?: number;
}

/** Which entries {@link Snapshot.frames} yields, and how. */
export interface FramesOptions extends IdsOptions {
  /** Yields the last frame first; the ids of each frame are ascending all the same. */
  readonly descending?: boolean;
  /** Whether {@link FrameMatches.nameText} is called. */
  readonly withNames?: boolean;
  /** Whether the caller may stop early: reads one frame first, and further ahead while it continues. */
  readonly mayStop?: boolean;
}

/** Entries of a frame, and which of them meet a filter. */
export interface FrameMatches {
  readonly count: number;
  readonly firstId: number;
  readonly lastId: number;
  /** Ascending. Unpacked when it is first read: a count needs the marks alone. */
  readonly ids: Float64Array;
  /** 1 for each entry that meets the filter, 0 for the others. */
  readonly marks: Uint8Array;
  /** Returns name and customerid of an entry, folded. Needs `withNames`. */
  nameText(index: number): string | undefined;
}

/** Where customers of a time begin: their ids increase with time. */
export interface IdsAround {
  /** The last id of an entry created before; 0 if there is none. */
  readonly before: number;
  /** The first id of an entry created at the time or later. */
  readonly since: number;
}

/** The entries of a merchant's customer index at some time. */
export interface Snapshot {
  readonly count: number;
  /** The highest id; 0 if there is no entry. */
  readonly lastId: number;
  /** Size of the file. */
  readonly bytes: number;
  /**
   * Yields entries by frames, with marks for those that meet condition and created ranges of the
   * filter; frames without entries in the ranges are left out. Look-ups are not compared.
   *
   * @throws SnapshotDamagedError
   */
  frames(filter: CustomerFilter, options?: FramesOptions): AsyncGenerator<FrameMatches>;
  /**
   * Returns the ids between which a time begins, undefined if all entries were created before it.
   *
   * @throws SnapshotDamagedError
   */
  idsAround(time: number): Promise<IdsAround | undefined>;
  /**
   * Yields whole entries, those of a frame at a time.
   *
   * @throws SnapshotDamagedError
   */
  entries(options?: IdsOptions): AsyncGenerator<IndexEntry[]>;
}

/** Bytes of the file to read at a time, if many are needed. */
const READ_BYTES = 4 * 1024 * 1024;
/** Reads under way at a time. */
const CONCURRENT_READS = 4;

const MEMORY = new SnapshotMemory();

/**
 * Opens a snapshot: reads its head. The rest is read when it is needed.
 *
 * @param headBytes size of the head, as the writer returned it.
 * @param memory what keeps the parts that were read. Default: that of the process.
 * @throws SnapshotDamagedError
 */
export async function openSnapshot(
  reader: RangeReader,
  headBytes: number,
  memory = MEMORY,
): Promise<Snapshot> {
  const bytes = await readExactly(reader, 0, headBytes);
  return new StoredSnapshot(reader, bytes, memory);
}

class StoredSnapshot implements Snapshot {
  readonly count: number;
  readonly lastId: number;
  readonly bytes: number;
  readonly #reader: RangeReader;
  readonly #frames: readonly Frame[];

  constructor(reader: RangeReader, headBytes: Uint8Array, memory: SnapshotMemory) {
    const head = decodeHead(headBytes);
    this.#reader = reader;
    this.#frames = head.frames.map((info) => new Frame(this, info, headBytes, memory));
    this.count = head.frames.reduce((sum, { count }) => sum + count, 0);
    this.lastId = head.frames.at(-1)?.lastId ?? 0;
    this.bytes = head.bytes;
  }

  async *frames(
    { created, condition }: CustomerFilter,
    { withNames = false, ...options }: FramesOptions = {},
  ): AsyncGenerator<FrameMatches> {
    const evaluation = condition && toEvaluation(condition);
    const texts = new Set(evaluation?.texts);
    if (withNames) texts.add('nameText');
    const overlaps = ({ info: { firstTime, lastTime } }: Frame) =>
      created.some(({ from, to }) => from <= lastTime && to >= firstTime);
    const needsTimes = ({ info: { firstTime, lastTime } }: Frame) =>
      !created.some(({ from, to }) => from <= firstTime && to >= lastTime);
    const frames = this.#framesIn(options).filter(overlaps);
    for await (const view of this.#views(frames, [...texts], needsTimes, options)) {
      const marks = needsTimes(view.frame) ? createdIn(created, view.times) : allOf(view.frame);
      evaluation?.select(view, marks, true);
      const matches = new Matches(view, marks, options);
      if (matches.count > 0) yield matches;
    }
  }

  async idsAround(time: number): Promise<IdsAround | undefined> {
    const at = this.#frames.findIndex(({ info }) => info.lastTime >= time);
    const frame = this.#frames[at];
    if (!frame) return undefined;
    const { firstTime, firstId } = frame.info;
    if (firstTime >= time) {
      return { before: this.#frames[at - 1]?.info.lastId ?? 0, since: firstId };
    }
    const view = new FrameView(frame, [], true);
    await this.#read([view]);
    const index = firstIndex(view.times, time);
    return { before: view.ids[index - 1] as number, since: view.ids[index] as number };
  }

  async *entries(options: IdsOptions = {}): AsyncGenerator<IndexEntry[]> {
    const frames = this.#framesIn(options);
    for await (const view of this.#views(frames, TEXT_BLOCKS, () => true, options)) {
      const { count, start } = new Matches(view, allOf(view.frame), options);
      if (count > 0) yield view.entries(start, start + count);
    }
  }

  #framesIn({ from = 1, to = LAST_ID, descending = false }: FramesOptions): readonly Frame[] {
    const frames = this.#frames.filter(
      ({ info: { firstId, lastId } }) => firstId <= to && lastId >= from,
    );
    return descending ? frames.reverse() : frames;
  }

  /** Yields the frames in this order, with the columns that are needed. */
  async *#views(
    frames: readonly Frame[],
    texts: readonly TextBlock[],
    needsTimes: (frame: Frame) => boolean,
    { mayStop = false }: FramesOptions,
  ): AsyncGenerator<FrameView> {
    const toView = (frame: Frame) => new FrameView(frame, texts, needsTimes(frame));
    const groups = [...groupsToRead(frames.map(toView), mayStop)];
    const pending: Promise<unknown>[] = [];
    let ahead = mayStop ? 1 : CONCURRENT_READS;
    for (const [index, group] of groups.entries()) {
      while (pending.length < Math.min(index + ahead, groups.length)) {
        const reading = this.#read(groups[pending.length] as readonly FrameView[]);
        // A failure is thrown when its turn comes; until then it must not count as unhandled.
        reading.catch(() => {});
        pending.push(reading);
      }
      ahead = Math.min(2 * ahead, CONCURRENT_READS);
      await pending[index];
      yield* group;
      // What was read for it can go, unless it is kept.
      groups[index] = [];
    }
  }

  async #read(views: readonly FrameView[]): Promise<void> {
    const [{ lacksTexts, lacksTimes }] = views as readonly [FrameView];
    await Promise.all([
      lacksTexts && this.#readParts(views, textsRange, (view, bytes) => view.setTexts(bytes)),
      lacksTimes && this.#readParts(views, timesRange, (view, bytes) => view.setTimes(bytes)),
    ]);
  }

  /** Reads a part of each of neighbouring frames, by one read. */
  async #readParts(
    views: readonly FrameView[],
    rangeOf: (frame: Frame) => Range,
    set: (view: FrameView, bytes: Uint8Array) => void,
  ): Promise<void> {
    const ranges = views.map(({ frame }) => rangeOf(frame));
    const start = Math.min(...ranges.map(({ start }) => start));
    const end = Math.max(...ranges.map(({ end }) => end));
    const bytes = await readExactly(this.#reader, start, end);
    for (const [index, range] of ranges.entries()) {
      set(views[index] as FrameView, bytes.subarray(range.start - start, range.end - start));
    }
  }
}

/** Puts neighbours together that lack the same, so that one read has it. */
function* groupsToRead(
  views: readonly FrameView[],
  mayStop: boolean,
): Generator<readonly FrameView[]> {
  let limit = mayStop ? 1 : READ_BYTES;
  let group: FrameView[] = [];
  let bytes = 0;
  for (const view of views) {
    const previous = group.at(-1);
    if (previous && (bytes >= limit || !previous.isReadWith(view))) {
      yield group;
      limit = Math.min(READ_BYTES, Math.max(limit, 2 * bytes));
      group = [];
      bytes = 0;
    }
    group.push(view);
    bytes += view.lackingBytes;
  }
  if (group.length > 0) yield group;
}

/** A range of bytes; the end is not included. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function textsRange({ info: { blocks } }: Frame): Range {
  const { offset, bytes } = blocks[TEXT_BLOCKS.at(-1) as TextBlock];
  return { start: blocks[TEXT_BLOCKS[0]].offset, end: offset + bytes };
}

function timesRange({ info: { blocks } }: Frame): Range {
  const { offset, bytes } = blocks.times;
  return { start: offset, end: offset + bytes };
}

function allOf({ info: { count } }: Frame): Uint8Array {
  return new Uint8Array(count).fill(1);
}

function createdIn(created: readonly TimeRange[], times: Float64Array): Uint8Array {
  return Uint8Array.from(times, (time) =>
    Number(created.some(({ from, to }) => from <= time && time <= to)),
  );
}

/** A frame, with what is kept of it between calls. */
class Frame {
  readonly group: Snapshot;
  readonly info: FrameInfo;
  readonly headBytes: Uint8Array;
  readonly memory: SnapshotMemory;
  packedTexts: Uint8Array | undefined;
  ids: Float64Array | undefined;
  flags: Uint8Array | undefined;
  times: Float64Array | undefined;
  texts: Readonly<Partial<Record<TextBlock, TextColumn>>> = {};

  constructor(snapshot: Snapshot, info: FrameInfo, headBytes: Uint8Array, memory: SnapshotMemory) {
    this.group = snapshot;
    this.info = info;
    this.headBytes = headBytes;
    this.memory = memory;
  }

  forget(memory: KeptBytes): void {
    if (memory === this.memory.packed) {
      this.packedTexts = undefined;
    } else {
      this.ids = undefined;
      this.flags = undefined;
      this.times = undefined;
      this.texts = {};
    }
  }
}

/** A frame for one call: with the columns that the call needs, whether they are kept or not. */
class FrameView implements Columns {
  readonly frame: Frame;
  readonly #needed: readonly TextBlock[];
  readonly #needsTimes: boolean;
  #packedTexts: Uint8Array | undefined;
  #packedTimes: Uint8Array | undefined;
  #times: Float64Array | undefined;
  #ids: Float64Array | undefined;
  #flags: Uint8Array | undefined;
  #texts: Readonly<Partial<Record<TextBlock, TextColumn>>>;

  constructor(frame: Frame, needed: readonly TextBlock[], needsTimes: boolean) {
    frame.memory.packed.use(frame);
    frame.memory.unpacked.use(frame);
    this.frame = frame;
    this.#needed = needed;
    this.#needsTimes = needsTimes;
    this.#packedTexts = frame.packedTexts;
    this.#ids = frame.ids;
    this.#flags = frame.flags;
    this.#times = frame.times;
    this.#texts = frame.texts;
  }

  get lacksTexts(): boolean {
    return !this.#packedTexts && this.#needed.some((name) => !this.#texts[name]);
  }

  get lacksTimes(): boolean {
    return this.#needsTimes && !this.#packedTimes && !this.#times;
  }

  get lackingBytes(): number {
    const { start, end } = textsRange(this.frame);
    return (
      (this.lacksTexts ? end - start : 0) +
      (this.lacksTimes ? this.frame.info.blocks.times.bytes : 0)
    );
  }

  /** Whether one read can have what this and another frame lack. */
  isReadWith(other: FrameView): boolean {
    const [a, b] = [textsRange(this.frame), textsRange(other.frame)];
    return (
      (a.end === b.start || b.end === a.start) &&
      this.lacksTexts === other.lacksTexts &&
      this.lacksTimes === other.lacksTimes
    );
  }

  setTexts(packed: Uint8Array): void {
    const { frame } = this;
    this.#packedTexts = packed;
    // Another call may have read them meanwhile.
    if (!frame.packedTexts && frame.memory.packed.keep(frame, packed.length)) {
      frame.packedTexts = packed;
    }
  }

  setTimes(packed: Uint8Array): void {
    this.#packedTimes = packed;
  }

  get ids(): Float64Array {
    this.#ids ??= this.frame.ids;
    if (!this.#ids) {
      const { count, firstId } = this.frame.info;
      this.#ids = decodeDeltas(this.#unpackHead('ids'), count, firstId - 1, 1);
      if (this.#mayKeep(this.#ids.byteLength)) this.frame.ids = this.#ids;
    }
    return this.#ids;
  }

  get flags(): Uint8Array {
    this.#flags ??= this.frame.flags;
    if (!this.#flags) {
      this.#flags = this.#unpackHead('flags');
      if (this.#mayKeep(this.#flags.length)) this.frame.flags = this.#flags;
    }
    return this.#flags;
  }

  get times(): Float64Array {
    this.#times ??= this.frame.times;
    if (!this.#times) {
      const { count, firstTime, blocks } = this.frame.info;
      const bytes = unpackBlock('times', blocks.times, this.#packedTimes as Uint8Array);
      this.#times = decodeDeltas(bytes, count, firstTime, 0);
      if (this.#mayKeep(this.#times.byteLength)) this.frame.times = this.#times;
    }
    return this.#times;
  }

  text(name: TextBlock): TextColumn {
    let column = this.#texts[name] ?? this.frame.texts[name];
    if (!column) {
      const { info } = this.frame;
      const block = info.blocks[name];
      const start = block.offset - textsRange(this.frame).start;
      const packed = (this.#packedTexts as Uint8Array).subarray(start, start + block.bytes);
      column = new TextColumn(unpackBlock(name, block, packed), info.count);
      this.#texts = { ...this.#texts, [name]: column };
      if (this.#mayKeep(column.size)) {
        this.frame.texts = { ...this.frame.texts, [name]: column };
      }
    }
    return column;
  }

  /** Returns name and customerid of an entry, folded. */
  nameText(index: number): string | undefined {
    const { nameText } = fromFlags(this.flags[index] as number, () => 'set');
    return nameText && this.text('nameText').at(index);
  }

  /** Returns the entries from one index up to another. */
  entries(start: number, end: number): IndexEntry[] {
    const { ids, flags, times } = this;
    const texts = TEXT_BLOCKS.map((name) => this.text(name));
    return Array.from({ length: end - start }, (_, index) => ({
      id: ids[start + index] as number,
      createdAt: times[start + index] as number,
      ...fromFlags(flags[start + index] as number, (text) =>
        (texts[text] as TextColumn).at(start + index),
      ),
    }));
  }

  #unpackHead(name: 'ids' | 'flags'): Buffer {
    const block = this.frame.info.blocks[name];
    const { offset, bytes } = block;
    return unpackBlock(name, block, this.frame.headBytes.subarray(offset, offset + bytes));
  }

  #mayKeep(bytes: number): boolean {
    return this.frame.memory.unpacked.keep(this.frame, bytes);
  }
}

/** The entries of a frame from one id to another. */
class Matches implements FrameMatches {
  readonly marks: Uint8Array;
  /** Index of the first in the frame. */
  readonly start: number;
  readonly #view: FrameView;
  #ids: Float64Array | undefined;

  constructor(view: FrameView, marks: Uint8Array, { from = 1, to = LAST_ID }: IdsOptions) {
    const { firstId, lastId, count } = view.frame.info;
    this.#view = view;
    this.start = from <= firstId ? 0 : firstIndex(view.ids, from);
    const end = to >= lastId ? count : firstIndex(view.ids, to + 1);
    this.marks = marks.subarray(this.start, end);
  }

  get count(): number {
    return this.marks.length;
  }

  get firstId(): number {
    return this.start === 0 ? this.#view.frame.info.firstId : (this.ids[0] as number);
  }

  get lastId(): number {
    const { count, lastId } = this.#view.frame.info;
    const isWhole = this.start + this.count === count;
    return isWhole ? lastId : (this.ids[this.count - 1] as number);
  }

  get ids(): Float64Array {
    this.#ids ??= this.#view.ids.subarray(this.start, this.start + this.count);
    return this.#ids;
  }

  nameText(index: number): string | undefined {
    return this.#view.nameText(this.start + index);
  }
}

/** Returns the index of the first of ascending numbers that is not less than this one. */
function firstIndex(numbers: Float64Array, number: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function readExactly(reader: RangeReader, from: number, to: number): Promise<Uint8Array> {
  const bytes = await reader.read(from, to);
  if (bytes.length !== to - from) {
    throw new SnapshotDamagedError(`it has ${bytes.length} of the bytes from ${from} to ${to}`);
  }
  return bytes;
}
