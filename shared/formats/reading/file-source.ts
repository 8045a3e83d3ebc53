/** A file that is read from a place, such as an object in S3. */
export interface FileSource {
  /** Its size. */
  readonly bytes: number;
  /**
   * Streams the bytes of a range; each call begins anew.
   *
   * @param from offset of the first byte. Default: 0.
   * @param to offset after the last byte. Default: the size.
   */
  read(from?: number, to?: number): AsyncIterable<Uint8Array>;
}

/** Bytes that are taken at once, so that what follows works on little of them. */
const PIECE_BYTES = 64 * 1024;

/** Streams a range of a file in pieces of at most 64 kB. */
export async function* piecesOf(
  source: FileSource,
  from = 0,
  to = source.bytes,
): AsyncGenerator<Buffer, void, undefined> {
  if (from >= to) return;
  for await (const chunk of source.read(from, to)) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield bytes.subarray(at, at + PIECE_BYTES);
    }
  }
}

/** Returns a range of a file, which must be small. */
export async function bytesOf(source: FileSource, from: number, to: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of piecesOf(source, from, to)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Returns a source of bytes in memory. */
export function sourceOfBytes(bytes: Uint8Array): FileSource {
  return {
    bytes: bytes.length,
    async *read(from = 0, to = bytes.length) {
      yield bytes.subarray(from, to);
    },
  };
}
