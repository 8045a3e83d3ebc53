import { crc32 } from 'node:zlib';
import type { CustomerFilter } from '../../domain/customer-filter.ts';
import { LAST_ID } from '../table.ts';
import { unpack } from './codec.ts';
import { decodeDeltas, fromFlags, textEnds } from './columns.ts';
import { evaluate, type TextColumn, textsOf } from './evaluate-condition.ts';
import {
  type BlockName,
  BODY_BLOCKS,
  decodeHead,
  type FrameInfo,
  type Head,
  type IndexEntry,
  SnapshotDamagedError,
  type TextBlock,
} from './snapshot-format.ts';

/** Reads a snapshot's file. */
export interface RangeReader {
  /**
   * Returns the bytes from `from` up to `to`, which is not included.
   *
   * @throws any error if they cannot be read: the call that needs them is rejected with it.
   */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** Which entries {@link Snapshot.frames} yields. */
export interface FramesOptions {
  /** First id; included. Default: the first. */
  readonly from?: number;
  /** Last id; included. Default: the last. */
  readonly to?: number;
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
  /** Ascending. Unpacked when it is first read: a count needs the marks alone. */
  readonly ids: Float64Array;
  /** 1 for each entry that meets the filter, 0 for the others. */
  readonly marks: Uint8Array;
  /** Returns name and customerid of an entry, folded. Needs `withNames`. */
  nameText(index: number): string | undefined;
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
   * Yields whole entries, those of a frame at a time.
   *
   * @throws SnapshotDamagedError
   */
  entries(options?: Pick<FramesOptions, 'from' | 'to'>): AsyncGenerator<IndexEntry[]>;
}

/** Bytes of the file to read at a time, if all frames are needed. */
const READ_BYTES = 4 * 1024 * 1024;
/** Reads under way at a time. */
const CONCURRENT_READS = 4;

/**
 * Opens a snapshot: reads its head. The rest is read when it is needed.
 *
 * @param headBytes size of the head, as the writer returned it.
 * @throws SnapshotDamagedError
 */
export async function openSnapshot(reader: RangeReader, headBytes: number): Promise<Snapshot> {
  const bytes = await readExactly(reader, 0, headBytes);
  return new StoredSnapshot(reader, bytes, decodeHead(bytes));
}

class StoredSnapshot implements Snapshot {
  readonly count: number;
  readonly lastId: number;
  readonly bytes: number;
  readonly #reader: RangeReader;
  readonly #frames: readonly Frame[];

  constructor(reader: RangeReader, headBytes: Uint8Array, head: Head) {
    this.#reader = reader;
    this.#frames = head.frames.map((info) => new Frame(head.codec, info, headBytes));
    this.count = head.frames.reduce((sum, { count }) => sum + count, 0);
    this.lastId = head.frames.at(-1)?.lastId ?? 0;
    this.bytes = head.bytes;
  }

  async *frames(
    { created, condition }: CustomerFilter,
    {
      from = 1,
      to = LAST_ID,
      descending = false,
      withNames = false,
      mayStop = false,
    }: FramesOptions = {},
  ): AsyncGenerator<FrameMatches> {
    const texts = condition ? textsOf(condition) : new Set<TextBlock>();
    if (withNames) texts.add('nameText');
    const overlapping = this.#frames.filter(
      ({ info: { firstId, lastId, firstTime, lastTime } }) =>
        firstId <= to &&
        lastId >= from &&
        created.some((range) => range.from <= lastTime && range.to >= firstTime),
    );
    const isWithin = ({ firstTime, lastTime }: FrameInfo) =>
      created.some((range) => range.from <= firstTime && range.to >= lastTime);
    const needsBody = ({ info }: Frame) => texts.size > 0 || !isWithin(info);
    const frames = descending ? overlapping.reverse() : overlapping;
    for await (const frame of this.#loaded(frames, needsBody, mayStop)) {
      const marks = new Uint8Array(frame.info.count).fill(1);
      if (!isWithin(frame.info)) {
        const times = frame.times;
        for (let index = 0; index < marks.length; index += 1) {
          const time = times[index] as number;
          marks[index] = Number(created.some((range) => range.from <= time && time <= range.to));
        }
      }
      if (condition) {
        const columns = Object.fromEntries([...texts].map((name) => [name, frame.text(name)]));
        evaluate(condition, { flags: frame.flags, texts: columns }, marks);
      }
      yield new Matches(frame, marks, from, to);
    }
  }

  async *entries({
    from = 1,
    to = LAST_ID,
  }: Pick<FramesOptions, 'from' | 'to'> = {}): AsyncGenerator<IndexEntry[]> {
    const frames = this.#frames.filter(
      ({ info: { firstId, lastId } }) => firstId <= to && lastId >= from,
    );
    for await (const frame of this.#loaded(frames, () => true, false)) {
      yield frame.entries().filter(({ id }) => id >= from && id <= to);
    }
  }

  /** Yields the frames in this order, with what they need of the body in memory. */
  async *#loaded(
    frames: readonly Frame[],
    needsBody: (frame: Frame) => boolean,
    mayStop: boolean,
  ): AsyncGenerator<Frame> {
    const groups = [...this.#groups(frames, needsBody, mayStop)];
    const pending: Promise<readonly Frame[]>[] = [];
    let ahead = mayStop ? 1 : CONCURRENT_READS;
    let next = 0;
    while (next < groups.length || pending.length > 0) {
      while (pending.length < ahead && next < groups.length) {
        const loading = this.#load(groups[next] as Group);
        // A failure is thrown when its turn comes; until then it must not count as unhandled.
        loading.catch(() => {});
        pending.push(loading);
        next += 1;
      }
      yield* (await pending.shift()) as readonly Frame[];
      ahead = Math.min(2 * ahead, CONCURRENT_READS);
    }
  }

  /** Puts neighbours together whose bodies are missing, so that one read has them. */
  *#groups(
    frames: readonly Frame[],
    needsBody: (frame: Frame) => boolean,
    mayStop: boolean,
  ): Generator<Group> {
    let limit = mayStop ? 1 : READ_BYTES;
    let group: Frame[] = [];
    let bytes = 0;
    for (const frame of frames) {
      const isMissing = needsBody(frame) && !frame.hasBody;
      const previous = group.at(-1);
      const isNeighbour =
        previous && (previous.bodyEnd === frame.bodyStart || frame.bodyEnd === previous.bodyStart);
      if (group.length > 0 && (!isMissing || !isNeighbour || bytes >= limit)) {
        yield { frames: group, isMissing: true };
        limit = Math.min(READ_BYTES, Math.max(2 * bytes, limit));
        group = [];
        bytes = 0;
      }
      if (isMissing) {
        group.push(frame);
        bytes += frame.bodyEnd - frame.bodyStart;
      } else {
        yield { frames: [frame], isMissing: false };
      }
    }
    if (group.length > 0) yield { frames: group, isMissing: true };
  }

  async #load({ frames, isMissing }: Group): Promise<readonly Frame[]> {
    if (!isMissing) return frames;
    const start = Math.min(...frames.map(({ bodyStart }) => bodyStart));
    const end = Math.max(...frames.map(({ bodyEnd }) => bodyEnd));
    const bytes = await readExactly(this.#reader, start, end);
    for (const frame of frames) {
      frame.setBody(bytes.subarray(frame.bodyStart - start, frame.bodyEnd - start));
    }
    return frames;
  }
}

interface Group {
  readonly frames: readonly Frame[];
  readonly isMissing: boolean;
}

/** A frame, with those of its blocks that have been read and unpacked. */
class Frame {
  readonly info: FrameInfo;
  readonly #codec: Head['codec'];
  readonly #headBytes: Uint8Array;
  #body: Uint8Array | undefined;
  #ids: Float64Array | undefined;
  #flags: Uint8Array | undefined;
  #times: Float64Array | undefined;
  readonly #texts: Partial<Record<TextBlock, TextColumn>> = {};

  constructor(codec: Head['codec'], info: FrameInfo, headBytes: Uint8Array) {
    this.#codec = codec;
    this.info = info;
    this.#headBytes = headBytes;
  }

  get bodyStart(): number {
    return this.info.blocks[BODY_BLOCKS[0]].offset;
  }

  get bodyEnd(): number {
    const { offset, bytes } = this.info.blocks[BODY_BLOCKS.at(-1) as BlockName];
    return offset + bytes;
  }

  get hasBody(): boolean {
    return this.#body !== undefined;
  }

  setBody(bytes: Uint8Array): void {
    this.#body = bytes;
  }

  get ids(): Float64Array {
    const { count, firstId } = this.info;
    this.#ids ??= decodeDeltas(this.#headBlock('ids'), count, firstId - 1, 1);
    return this.#ids;
  }

  get flags(): Uint8Array {
    this.#flags ??= this.#headBlock('flags');
    return this.#flags;
  }

  get times(): Float64Array {
    const { count, firstTime } = this.info;
    this.#times ??= decodeDeltas(this.#bodyBlock('times'), count, firstTime, 0);
    return this.#times;
  }

  text(name: TextBlock): TextColumn {
    let column = this.#texts[name];
    if (!column) {
      const bytes = this.#bodyBlock(name);
      column = { bytes, ends: textEnds(bytes, this.info.count) };
      this.#texts[name] = column;
    }
    return column;
  }

  textAt(name: TextBlock, index: number): string {
    const { bytes, ends } = this.text(name);
    const start = index === 0 ? 0 : (ends[index - 1] as number) + 1;
    return bytes.toString('utf8', start, ends[index]);
  }

  entry(index: number): IndexEntry {
    return {
      id: this.ids[index] as number,
      createdAt: this.times[index] as number,
      ...fromFlags(this.flags[index] as number, (name) => this.textAt(name, index)),
    };
  }

  entries(): IndexEntry[] {
    return Array.from({ length: this.info.count }, (_, index) => this.entry(index));
  }

  #headBlock(name: BlockName): Buffer {
    const { offset } = this.info.blocks[name];
    return this.#unpack(name, this.#headBytes, offset);
  }

  #bodyBlock(name: BlockName): Buffer {
    const { offset } = this.info.blocks[name];
    return this.#unpack(name, this.#body as Uint8Array, offset - this.bodyStart);
  }

  #unpack(name: BlockName, bytes: Uint8Array, start: number): Buffer {
    const block = this.info.blocks[name];
    const packed = bytes.subarray(start, start + block.bytes);
    if (crc32(packed) !== block.crc) {
      throw new SnapshotDamagedError(
        `${name} of the frame of customer ${this.info.firstId} has another checksum`,
      );
    }
    return unpack(this.#codec, packed, block.unpackedBytes);
  }
}

/** The entries of a frame from one id to another. */
class Matches implements FrameMatches {
  readonly marks: Uint8Array;
  readonly #frame: Frame;
  readonly #start: number;
  readonly #end: number;

  constructor(frame: Frame, marks: Uint8Array, from: number, to: number) {
    const { firstId, lastId, count } = frame.info;
    this.#frame = frame;
    this.#start = from <= firstId ? 0 : firstIndex(frame.ids, from);
    this.#end = to >= lastId ? count : firstIndex(frame.ids, to + 1);
    this.marks = marks.subarray(this.#start, this.#end);
  }

  get count(): number {
    return this.marks.length;
  }

  get ids(): Float64Array {
    return this.#frame.ids.subarray(this.#start, this.#end);
  }

  nameText(index: number): string | undefined {
    return this.#frame.entry(this.#start + index).nameText;
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
