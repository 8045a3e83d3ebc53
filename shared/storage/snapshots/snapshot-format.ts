import { crc32 } from 'node:zlib';
import type { IndexedAttributes } from '../../domain/search-attributes.ts';
import { type Codec, isCodec } from './codec.ts';

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
 * | table | JSON: codec, bytes of the file, and of each frame its ranges of ids and times and its blocks |
 * | head blocks | of each frame: ids, flags |
 * | body blocks | of each frame: times, then the four texts |
 *
 * Preamble, table and head blocks are the head, which answers all that needs no texts. Each block is
 * compressed by itself and has a CRC-32 in the table.
 */
export const HEAD_BLOCKS = ['ids', 'flags'] as const;
export const TEXT_BLOCKS = ['nameText', 'addressText', 'postcodeText', 'companyText'] as const;
export const BODY_BLOCKS = ['times', ...TEXT_BLOCKS] as const;

export type TextBlock = (typeof TEXT_BLOCKS)[number];
export type BlockName = (typeof HEAD_BLOCKS)[number] | (typeof BODY_BLOCKS)[number];

/** Entries of a frame. The last one has fewer. */
export const FRAME_ENTRIES = 16_384;

/** `MCS` and the version. */
const MAGIC = 0x4d_43_53_01;
export const PREAMBLE_BYTES = 16;
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
  readonly codec: Codec;
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
  ...blocks: [bytes: number, unpackedBytes: number, crc: number][],
];

const BLOCKS: readonly BlockName[] = [...HEAD_BLOCKS, ...BODY_BLOCKS];

/** Returns the head of a file with these frames. */
export function encodeHead(codec: Codec, frames: readonly PackedFrame[]): Uint8Array {
  const blocksOf = (names: readonly BlockName[]) =>
    frames.flatMap(({ blocks }) => names.map((name) => blocks[name].packed));
  const headBlocks = blocksOf(HEAD_BLOCKS);
  const bodyBytes = blocksOf(BODY_BLOCKS).reduce((sum, { length }) => sum + length, 0);
  const rows = frames.map(
    ({ count, firstId, lastId, firstTime, lastTime, blocks }): FrameRow => [
      count,
      firstId,
      lastId,
      firstTime,
      lastTime,
      ...BLOCKS.map((name): [number, number, number] => {
        const { packed, unpackedBytes } = blocks[name];
        return [packed.length, unpackedBytes, crc32(packed)];
      }),
    ],
  );
  const table = Buffer.from(JSON.stringify({ codec, bodyBytes, frames: rows }));
  const head = Buffer.concat([Buffer.alloc(PREAMBLE_BYTES), table, ...headBlocks]);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(table.length, 4);
  head.writeUInt32BE(head.length, 8);
  head.writeUInt32BE(crcOfHead(head), CRC_OFFSET);
  return head;
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
  const { codec, bodyBytes, frames } = JSON.parse(
    head.toString('utf8', PREAMBLE_BYTES, tableEnd),
  ) as { codec: string; bodyBytes: number; frames: FrameRow[] };
  if (!isCodec(codec)) throw new SnapshotDamagedError(`this Node cannot unpack ${codec}`);
  let headOffset = tableEnd;
  let bodyOffset = head.length;
  const infos = frames.map(([count, firstId, lastId, firstTime, lastTime, ...rows]): FrameInfo => {
    const blocks = BLOCKS.map((name, index): [BlockName, Block] => {
      const [bytes, unpackedBytes, crc] = rows[index] as (typeof rows)[number];
      const isInHead = index < HEAD_BLOCKS.length;
      const offset = isInHead ? headOffset : bodyOffset;
      if (isInHead) headOffset += bytes;
      else bodyOffset += bytes;
      return [name, { offset, bytes, unpackedBytes, crc }];
    });
    return {
      count,
      firstId,
      lastId,
      firstTime,
      lastTime,
      blocks: Object.fromEntries(blocks) as FrameInfo['blocks'],
    };
  });
  return { codec, bytes: head.length + bodyBytes, frames: infos };
}

function crcOfHead(head: Buffer): number {
  return crc32(head.subarray(PREAMBLE_BYTES), crc32(head.subarray(0, CRC_OFFSET)));
}
