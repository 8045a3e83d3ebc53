import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

/*
 * A ZIP archive that is written from its beginning to its end, entry by entry and piece by piece.
 * Each piece is compressed by itself and ends at a byte boundary, so that between two pieces the
 * state is a few numbers, from which another process can continue.
 *
 * PKWARE, APPNOTE.TXT 6.3.10: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

const deflate = promisify(deflateRaw);

/** 4 % larger files than with level 6, for three quarters of its time (`shared/decisions/`). */
const LEVEL = 3;
/** Compressed pieces are allocated at once up to this many bytes. */
const CHUNK_BYTES = 1024 * 1024;

/** Version 2.0 has deflate, 4.5 has ZIP64. */
const VERSION = 20;
const VERSION_ZIP64 = 45;
/** Checksum and sizes follow the data in a descriptor. */
const FLAGS = 1 << 3;
const DEFLATE = 8;
/** 1980-01-01, the first date that there is: equal customers are equal bytes. */
const DATE = 0x21;
/** In place of a number that stands in the ZIP64 extra field. */
const MAX_UINT32 = 0xffff_ffff;

interface ZipEntry {
  readonly name: string;
  readonly offset: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
}

/** What has been written of an archive; plain JSON. */
export interface ZipState {
  /** Bytes so far. */
  readonly offset: number;
  /** The last one may still be written. */
  readonly entries: readonly ZipEntry[];
}

/**
 * Writes a ZIP archive. Entries must be smaller than 4 GiB; the archive may be larger (ZIP64).
 *
 * @example
 * const zip = new ZipWriter();
 * const bytes = [zip.begin('a.txt'), await zip.add(Buffer.from('a')), await zip.finish(), zip.end()];
 */
export class ZipWriter {
  #offset: number;
  readonly #entries: ZipEntry[];

  constructor({ offset, entries }: ZipState = { offset: 0, entries: [] }) {
    this.#offset = offset;
    this.#entries = [...entries];
  }

  get state(): ZipState {
    return { offset: this.#offset, entries: [...this.#entries] };
  }

  /** Uncompressed bytes of the entry that is written. */
  get size(): number {
    return this.#entry.size;
  }

  /** Begins an entry. Its name is ASCII. */
  begin(name: string): Buffer {
    this.#entries.push({ name, offset: this.#offset, crc: 0, size: 0, compressedSize: 0 });
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x0403_4b50, 0);
    header.writeUInt16LE(VERSION, 4);
    header.writeUInt16LE(FLAGS, 6);
    header.writeUInt16LE(DEFLATE, 8);
    header.writeUInt16LE(DATE, 12);
    header.writeUInt16LE(name.length, 26);
    return this.#written(Buffer.concat([header, Buffer.from(name, 'latin1')]));
  }

  /** Adds a piece to the entry. */
  add(piece: Buffer): Promise<Buffer> {
    return this.#compress(piece, constants.Z_SYNC_FLUSH);
  }

  /** Ends the entry with a last piece. */
  async finish(piece: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const compressed = await this.#compress(piece, constants.Z_FINISH);
    const { crc, size, compressedSize } = this.#entry;
    const descriptor = Buffer.alloc(16);
    descriptor.writeUInt32LE(0x0807_4b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeUInt32LE(compressedSize, 8);
    descriptor.writeUInt32LE(size, 12);
    return Buffer.concat([compressed, this.#written(descriptor)]);
  }

  /** Ends the archive with its central directory. */
  end(): Buffer {
    const start = this.#offset;
    const headers = Buffer.concat(this.#entries.map(centralHeader));
    const isZip64 = start + headers.length >= MAX_UINT32;
    const directory = { count: this.#entries.length, start, size: headers.length };
    return this.#written(
      Buffer.concat([headers, ...(isZip64 ? [zip64End(directory)] : []), endRecord(directory)]),
    );
  }

  get #entry(): ZipEntry {
    return this.#entries.at(-1) as ZipEntry;
  }

  async #compress(piece: Buffer, finishFlush: number): Promise<Buffer> {
    const chunkSize = Math.min(CHUNK_BYTES, Math.max(64, piece.length));
    const compressed = await deflate(piece, { level: LEVEL, finishFlush, chunkSize });
    const { crc, size, compressedSize, ...entry } = this.#entry;
    this.#entries[this.#entries.length - 1] = {
      ...entry,
      crc: crc32(piece, crc),
      size: size + piece.length,
      compressedSize: compressedSize + compressed.length,
    };
    return this.#written(compressed);
  }

  #written(bytes: Buffer): Buffer {
    this.#offset += bytes.length;
    return bytes;
  }
}

function centralHeader({ name, offset, crc, size, compressedSize }: ZipEntry): Buffer {
  const isZip64 = offset >= MAX_UINT32;
  const extra = Buffer.alloc(isZip64 ? 12 : 0);
  if (isZip64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(8, 2);
    extra.writeBigUInt64LE(BigInt(offset), 4);
  }
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x0201_4b50, 0);
  header.writeUInt16LE(isZip64 ? VERSION_ZIP64 : VERSION, 4);
  header.writeUInt16LE(isZip64 ? VERSION_ZIP64 : VERSION, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DEFLATE, 10);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(compressedSize, 20);
  header.writeUInt32LE(size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(Math.min(offset, MAX_UINT32), 42);
  return Buffer.concat([header, Buffer.from(name, 'latin1'), extra]);
}

interface CentralDirectory {
  readonly count: number;
  readonly start: number;
  readonly size: number;
}

/** Returns the ZIP64 end of the central directory, and its locator. */
function zip64End({ count, start, size }: CentralDirectory): Buffer {
  const record = Buffer.alloc(76);
  record.writeUInt32LE(0x0606_4b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(VERSION_ZIP64, 12);
  record.writeUInt16LE(VERSION_ZIP64, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  record.writeUInt32LE(0x0706_4b50, 56);
  record.writeBigUInt64LE(BigInt(start + size), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

function endRecord({ count, start, size }: CentralDirectory): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x0605_4b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(Math.min(start, MAX_UINT32), 16);
  return record;
}
