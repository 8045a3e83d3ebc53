import { packBlock } from './blocks.ts';
import { encodeDeltas, toFlags } from './columns.ts';
import {
  type BlockName,
  encodeFile,
  FRAME_ENTRIES,
  type IndexEntry,
  type PackedBlock,
  type PackedFrame,
  TEXT_BLOCKS,
} from './snapshot-format.ts';
import { encodeTexts } from './text-column.ts';

/** A snapshot's file. */
export interface SnapshotFile {
  /** Its bytes, in pieces. */
  readonly chunks: readonly Uint8Array[];
  /** Size of the file. */
  readonly bytes: number;
  /** Size of its head, which `openSnapshot` reads first. */
  readonly headBytes: number;
  readonly count: number;
  /** The highest id; 0 if there is no entry. */
  readonly lastId: number;
}

/**
 * Writes a snapshot. It holds the compressed file in memory, and the entries of one frame.
 *
 * @example
 * const writer = new SnapshotWriter();
 * for await (const page of pages) writer.add(page);
 * const { chunks, headBytes } = writer.finish();
 */
export class SnapshotWriter {
  readonly #frameEntries: number;
  readonly #frames: PackedFrame[] = [];
  #entries: IndexEntry[] = [];
  #lastId = 0;

  /** @param frameEntries entries of a frame. Default: {@link FRAME_ENTRIES}. */
  constructor(frameEntries = FRAME_ENTRIES) {
    this.#frameEntries = frameEntries;
  }

  /**
   * Adds entries.
   *
   * @throws RangeError if an id is not greater than the one before, a number is not an integer, or
   * there is no such kind.
   */
  add(entries: Iterable<IndexEntry>): void {
    for (const entry of entries) {
      if (!Number.isSafeInteger(entry.id) || entry.id <= this.#lastId) {
        throw new RangeError(`Ids must be ascending integers; ${entry.id} follows ${this.#lastId}`);
      }
      if (!Number.isSafeInteger(entry.createdAt)) {
        throw new RangeError(`createdAt must be an integer; got ${entry.createdAt}`);
      }
      this.#lastId = entry.id;
      this.#entries.push(entry);
      if (this.#entries.length === this.#frameEntries) this.#endFrame();
    }
  }

  /** Returns the file. */
  finish(): SnapshotFile {
    if (this.#entries.length > 0) this.#endFrame();
    const chunks = encodeFile(this.#frames);
    return {
      chunks,
      bytes: chunks.reduce((sum, { length }) => sum + length, 0),
      headBytes: chunks[0].length,
      count: this.#frames.reduce((sum, { count }) => sum + count, 0),
      lastId: this.#lastId,
    };
  }

  #endFrame(): void {
    this.#frames.push(packFrame(this.#entries));
    this.#entries = [];
  }
}

function packFrame(entries: readonly IndexEntry[]): PackedFrame {
  const ids = entries.map(({ id }) => id);
  const times = entries.map(({ createdAt }) => createdAt);
  const firstId = ids[0] as number;
  let firstTime = times[0] as number;
  let lastTime = firstTime;
  for (const time of times) {
    if (time < firstTime) firstTime = time;
    if (time > lastTime) lastTime = time;
  }
  const columns: [BlockName, Uint8Array][] = [
    ['ids', encodeDeltas(ids, firstId - 1, 1)],
    ['flags', Uint8Array.from(entries, toFlags)],
    ['times', encodeDeltas(times, firstTime, 0)],
    ...TEXT_BLOCKS.map((name): [BlockName, Uint8Array] => [
      name,
      encodeTexts(entries.map((entry) => entry[name])),
    ]),
  ];
  const blocks = columns.map(([name, bytes]): [BlockName, PackedBlock] => [
    name,
    { packed: packBlock(name, bytes), unpackedBytes: bytes.length },
  ]);
  return {
    count: entries.length,
    firstId,
    lastId: ids.at(-1) as number,
    firstTime,
    lastTime,
    blocks: Object.fromEntries(blocks) as PackedFrame['blocks'],
  };
}
