import { crc32 } from 'node:zlib';
import type { IndexedAttributes } from '../../domain/search-attributes.ts';

/** A customer's entry in the customer index: the attributes that filters compare, and the id. */
export interface IndexEntry extends IndexedAttributes {
  readonly id: number;
}

/**
 * The file of a snapshot: the entries of a merchant's customer index at some time, by ascending id,
 * in frames of up to {@link FRAME_ENTRIES}, column by column.
 *
 * | part | content |
 * |---|---|
 * | preamble, 16 bytes | magic and version, bytes of the table, bytes of the head, CRC-32 of the rest of the head |
 * | table | JSON: bytes of the file, and of each frame its ranges of ids and times and its blocks |
 * | ids and flags | of each frame; they end the head, which answers all that needs no texts |
 * | times | of each frame; needed where a range of time begins or ends |
 * | texts | of each frame, the four together |
 *
 * A block is a column of a frame, compressed by itself, with a CRC-32 in the table.
 */
export const TEXT_BLOCKS = ['nameText', 'addressText', 'postcodeText', 'companyText'] as const;
const HEAD_BLOCKS = ['ids', 'flags'] as const;
/** The parts after the table, in order, with the blocks that each has of every frame. */
const SECTIONS = [HEAD_BLOCKS, ['times'], TEXT_BLOCKS] as const;
const BLOCKS: readonly BlockName[] = SECTIONS.flat();

export type TextBlock = (typeof TEXT_BLOCKS)[number];
export type BlockName = (typeof SECTIONS)[number][number];

/** Entries of a frame. The last one has fewer. */
export const FRAME_ENTRIES = 16_384;

/** `MCS` and the version. */
const MAGIC = 0x4d_43_53_01;
const PREAMBLE_BYTES = 16;
const CRC_OFFSET = 12;

/** Where a block is, and what it must be. */
export interface Block {
  /** Place in the file. */
  readonly offset: number;
  readonly bytes: number;
  readonly unpackedBytes: number;
  /** CRC-32 of the compressed bytes. */
  readonly crc: number;
}

/** What the table says of a frame. */
export interface FrameInfo {
  readonly count: number;
  readonly firstId: number;
  readonly lastId: number;
  /** Lowest and highest creation time. */
  readonly firstTime: number;
  readonly lastTime: number;
  readonly blocks: Readonly<Record<BlockName, Block>>;
}

export interface Head {
  /** Bytes of the whole file. */
  readonly bytes: number;
  readonly frames: readonly FrameInfo[];
}

/** A snapshot's file is not what was written, or of another version. */
export class SnapshotDamagedError extends Error {
  constructor(what: string) {
    super(`The snapshot is damaged: ${what}.`);
  }
}

/** A frame as the writer has it. */
export interface PackedFrame extends Omit<FrameInfo, 'blocks'> {
  readonly blocks: Readonly<Record<BlockName, PackedBlock>>;
}

export interface PackedBlock {
  readonly packed: Uint8Array;
  readonly unpackedBytes: number;
}

/** The table's form of a frame: its members in order, and of each block size, unpacked size, CRC. */
type FrameRow = [
  count: number,
  firstId: number,
  lastId: number,
  firstTime: number,
  lastTime: number,
  ...blocks: BlockRow[],
];
type BlockRow = [bytes: number, unpackedBytes: number, crc: number];

/** Returns the pieces of a file with these frames; the first is its head. */
export function encodeFile(frames: readonly PackedFrame[]): [Uint8Array, ...Uint8Array[]] {
  const [headBlocks = [], ...body] = SECTIONS.map((names) =>
    frames.flatMap(({ blocks }) => names.map((name) => blocks[name].packed)),
  );
  const bodyBlocks = body.flat();
  const rows = frames.map(
    ({ count, firstId, lastId, firstTime, lastTime, blocks }): FrameRow => [
      count,
      firstId,
      lastId,
      firstTime,
      lastTime,
      ...BLOCKS.map((name): BlockRow => {
        const { packed, unpackedBytes } = blocks[name];
        return [packed.length, unpackedBytes, crc32(packed)];
      }),
    ],
  );
  const table = Buffer.from(JSON.stringify(rows));
  const head = Buffer.concat([Buffer.alloc(PREAMBLE_BYTES), table, ...headBlocks]);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(table.length, 4);
  head.writeUInt32BE(head.length, 8);
  head.writeUInt32BE(crcOfHead(head), CRC_OFFSET);
  return [head, ...bodyBlocks];
}

/**
 * Reads a head.
 *
 * @throws SnapshotDamagedError
 */
export function decodeHead(bytes: Uint8Array): Head {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (head.length < PREAMBLE_BYTES) throw new SnapshotDamagedError('it ends within the preamble');
  if (head.readUInt32BE(0) !== MAGIC) {
    throw new SnapshotDamagedError('it is no snapshot, or of another version');
  }
  if (head.readUInt32BE(8) !== head.length) throw new SnapshotDamagedError('its head is cut off');
  if (head.readUInt32BE(CRC_OFFSET) !== crcOfHead(head)) {
    throw new SnapshotDamagedError('its head has another checksum');
  }
  const tableEnd = PREAMBLE_BYTES + head.readUInt32BE(4);
  const rows: FrameRow[] = JSON.parse(head.toString('utf8', PREAMBLE_BYTES, tableEnd));
  const frames = rows.map(([count, firstId, lastId, firstTime, lastTime]) => ({
    ...{ count, firstId, lastId, firstTime, lastTime },
    blocks: {} as Record<BlockName, Block>,
  }));
  let offset = tableEnd;
  for (const section of SECTIONS) {
    for (const [index, [, , , , , ...blocks]] of rows.entries()) {
      for (const name of section) {
        const [bytes, unpackedBytes, crc] = blocks[BLOCKS.indexOf(name)] as BlockRow;
        (frames[index] as (typeof frames)[number]).blocks[name] = {
          offset,
          bytes,
          unpackedBytes,
          crc,
        };
        offset += bytes;
      }
    }
  }
  return { bytes: offset, frames };
}

/** Returns a checksum of the head but for the place where it is stored. */
function crcOfHead(head: Buffer): number {
  return crc32(head.subarray(PREAMBLE_BYTES), crc32(head.subarray(0, CRC_OFFSET)));
}
