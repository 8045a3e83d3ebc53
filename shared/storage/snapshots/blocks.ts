import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Block, type BlockName, SnapshotDamagedError } from './snapshot-format.ts';

/**
 * Returns a block, compressed.
 *
 * Deflate, which each Node has. Z_FILTERED leaves out short matches: 3 % smaller than the default
 * with these columns, and as small as zstd at level 9. Flags have no matches worth the name; they are
 * a fifth smaller without.
 */
export function packBlock(name: BlockName, bytes: Uint8Array): Uint8Array {
  const packed = deflateRawSync(bytes, { strategy: constants.Z_FILTERED });
  if (name !== 'flags') return packed;
  const withoutMatches = deflateRawSync(bytes, { strategy: constants.Z_HUFFMAN_ONLY });
  return withoutMatches.length < packed.length ? withoutMatches : packed;
}

/**
 * Returns the bytes of a block.
 *
 * @throws SnapshotDamagedError if they are not those that were written.
 */
export function unpackBlock(name: BlockName, block: Block, packed: Uint8Array): Buffer {
  if (packed.length !== block.bytes || crc32(packed) !== block.crc) {
    throw new SnapshotDamagedError(`a block of ${name} at byte ${block.offset} has changed`);
  }
  // One buffer of the right size: by default the output is put together from pieces of 16 kB.
  return inflateRawSync(packed, { chunkSize: Math.max(block.unpackedBytes + 1, 64) });
}
