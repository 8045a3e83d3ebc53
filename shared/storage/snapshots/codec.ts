import zlib from 'node:zlib';

/** How blocks are compressed. */
export type Codec = 'zstd' | 'deflate';

/** Node 20, on which the local stack runs too, has no zstd; Lambda's Node 24 has. */
const HAS_ZSTD = typeof zlib.zstdCompressSync === 'function';

/** The codec of new snapshots. */
export const CODEC: Codec = HAS_ZSTD ? 'zstd' : 'deflate';

/** Returns whether this is the name of a codec that this Node can unpack. */
export function isCodec(name: string): name is Codec {
  return name === 'deflate' || (name === 'zstd' && HAS_ZSTD);
}

/** Returns the bytes, compressed by {@link CODEC}. */
export function pack(bytes: Uint8Array): Uint8Array {
  return HAS_ZSTD ? zlib.zstdCompressSync(bytes) : zlib.deflateRawSync(bytes);
}

/**
 * Returns the bytes that were compressed.
 *
 * @throws Error if they are not so many.
 */
export function unpack(codec: Codec, packed: Uint8Array, bytes: number): Buffer {
  // One buffer of the right size: by default the output is put together from pieces of 16 kB.
  const options = { chunkSize: Math.max(bytes + 1, 64), maxOutputLength: Math.max(bytes, 1) };
  const unpacked =
    codec === 'zstd'
      ? zlib.zstdDecompressSync(packed, options)
      : zlib.inflateRawSync(packed, options);
  if (unpacked.length !== bytes) throw new Error(`${unpacked.length} bytes instead of ${bytes}`);
  return unpacked;
}
