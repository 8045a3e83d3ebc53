import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { UnreadableFileError } from '../../domain/errors.ts';
import {
  MAX_IMPORT_INFLATED_BYTES,
  MAX_IMPORT_RATIO,
  MAX_IMPORT_RATIO_AFTER,
  MAX_IMPORT_ZIP_ENTRIES,
} from '../../domain/limits.ts';
import { bytesOf, type FileSource, piecesOf } from './file-source.ts';

/*
 * Reads a ZIP archive by its central directory, which says what is in it; what lies between entries
 * is not looked at. Refused is what files of spreadsheets do not have and attacks do: entries that
 * share bytes, sizes that are not true, encryption, ZIP64.
 *
 * PKWARE, APPNOTE.TXT 6.3.10: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

const END_SIGNATURE = 0x0605_4b50;
const ENTRY_SIGNATURE = 0x0201_4b50;
const LOCAL_SIGNATURE = 0x0403_4b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
/** Stands for a value in the ZIP64 extra field. */
const MAX_UINT16 = 0xffff;
const MAX_UINT32 = 0xffff_ffff;
const IS_ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
const INFLATED_PIECE_BYTES = 64 * 1024;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly offset: number;
  /** Offset of what follows the entry. */
  readonly end: number;
}

/** A ZIP archive whose entries are read as streams. */
export class ZipArchive {
  readonly #source: FileSource;
  readonly #entries: ReadonlyMap<string, Entry>;
  #inflated = 0;

  private constructor(source: FileSource, entries: ReadonlyMap<string, Entry>) {
    this.#source = source;
    this.#entries = entries;
  }

  /**
   * Reads the directory of an archive.
   *
   * @throws {UnreadableFileError}
   */
  static async open(source: FileSource): Promise<ZipArchive> {
    const end = await endOf(source);
    const directory = await bytesOf(source, end.start, end.start + end.size);
    return new ZipArchive(source, entriesOf(directory, end));
  }

  /** Whether there is an entry; names differ by more than case. */
  has(name: string): boolean {
    return this.#entries.has(keyOf(name));
  }

  /**
   * Streams the content of an entry.
   *
   * @throws {UnreadableFileError} if there is none, or its content is not what its directory says.
   */
  async *read(name: string): AsyncGenerator<Buffer, void, undefined> {
    const entry = this.#entries.get(keyOf(name));
    if (!entry) throw new UnreadableFileError('damaged', `The file has no part ${name}`);
    const { flags, method, compressedSize, size } = entry;
    if (flags & IS_ENCRYPTED) {
      throw new UnreadableFileError(
        'encrypted',
        'The file is encrypted; save it without a password',
        name,
      );
    }
    if (method !== STORED && method !== DEFLATED) {
      throw new UnreadableFileError(
        'unsupported',
        `A part of the file is compressed by method ${method}; save it as .xlsx`,
        name,
      );
    }
    if (isBomb(size, compressedSize)) throw bomb(name);
    const start = await this.#startOf(entry);
    const packed = piecesOf(this.#source, start, start + compressedSize);
    let crc = 0;
    let bytes = 0;
    for await (const piece of method === STORED ? packed : inflated(packed, name)) {
      bytes += piece.length;
      this.#inflated += piece.length;
      if (this.#inflated > MAX_IMPORT_INFLATED_BYTES || isBomb(bytes, compressedSize)) {
        throw bomb(name);
      }
      if (bytes > size) break;
      crc = crc32(piece, crc);
      yield piece;
    }
    if (bytes !== size || crc !== entry.crc) {
      throw new UnreadableFileError(
        'damaged',
        'A part of the file has another size or checksum than it says',
        name,
      );
    }
  }

  /** Returns the offset of an entry's data. */
  async #startOf({ name, offset, compressedSize, end }: Entry): Promise<number> {
    const header = await bytesOf(this.#source, offset, offset + LOCAL_BYTES);
    if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
      throw new UnreadableFileError('damaged', 'A part is not where the file says', name);
    }
    const start = offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (start + compressedSize > end) throw overlap(name);
    return start;
  }
}

interface EndRecord {
  readonly count: number;
  readonly start: number;
  readonly size: number;
}

/** Finds the record at the end of the archive, which says where its directory is. */
async function endOf(source: FileSource): Promise<EndRecord> {
  const from = Math.max(0, source.bytes - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await bytesOf(source, from, source.bytes);
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const count = tail.readUInt16LE(at + 10);
    const size = tail.readUInt32LE(at + 12);
    const start = tail.readUInt32LE(at + 16);
    if (count === MAX_UINT16 || size === MAX_UINT32 || start === MAX_UINT32) {
      throw new UnreadableFileError(
        'unsupported',
        'The file is a ZIP64 archive; save it as .xlsx again',
      );
    }
    if (tail.readUInt32LE(at + 4) !== 0 || tail.readUInt16LE(at + 8) !== count) {
      throw new UnreadableFileError('unsupported', 'The file is a part of a divided archive');
    }
    if (count > MAX_IMPORT_ZIP_ENTRIES) {
      const detail = `The file has ${count} parts; the maximum is ${MAX_IMPORT_ZIP_ENTRIES}`;
      throw new UnreadableFileError('bomb', detail);
    }
    if (start + size !== from + at) {
      throw new UnreadableFileError('damaged', 'The directory is not where the file says');
    }
    return { count, start, size };
  }
  throw new UnreadableFileError('truncated', 'The end of the file is missing');
}

function entriesOf(directory: Buffer, end: EndRecord): ReadonlyMap<string, Entry> {
  const damaged = () => new UnreadableFileError('damaged', 'The directory of the file is damaged');
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < end.count; index += 1) {
    if (at + ENTRY_BYTES > directory.length) throw damaged();
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw damaged();
    const nameBytes = directory.readUInt16LE(at + 28);
    const next = at + ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30);
    entries.push({
      // Names of an XLSX file's parts are ASCII.
      name: directory.toString('latin1', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
      end: end.start,
    });
    at = next + directory.readUInt16LE(at + 32);
  }
  if (at !== directory.length) throw damaged();
  entries.sort((a, b) => a.offset - b.offset);
  const byName = new Map<string, Entry>();
  let total = 0;
  for (const [index, entry] of entries.entries()) {
    const { name, offset, compressedSize, size } = entry;
    const after = entries[index + 1]?.offset ?? end.start;
    if (offset + LOCAL_BYTES + name.length + compressedSize > after) throw overlap(name);
    if (byName.has(keyOf(name))) {
      throw new UnreadableFileError('damaged', 'A part is there twice', name);
    }
    total += size;
    if (total > MAX_IMPORT_INFLATED_BYTES) throw bomb(name);
    byName.set(keyOf(name), { ...entry, end: after });
  }
  return byName;
}

/** Names of parts are compared without case (ECMA-376, part 2, section 6.2.2.3). */
function keyOf(name: string): string {
  return name.replaceAll('\\', '/').replace(/^\//, '').toLowerCase();
}

function isBomb(size: number, compressedSize: number): boolean {
  return size > MAX_IMPORT_RATIO_AFTER && size > MAX_IMPORT_RATIO * compressedSize;
}

function bomb(name: string): UnreadableFileError {
  const detail = `The file is too large unpacked; the maximum is ${MAX_IMPORT_INFLATED_BYTES} bytes, and ${MAX_IMPORT_RATIO} times its packed size`;
  return new UnreadableFileError('bomb', detail, name);
}

function overlap(name: string): UnreadableFileError {
  return new UnreadableFileError('bomb', 'A part shares bytes with another part of the file', name);
}

async function* inflated(
  packed: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<Buffer, void, undefined> {
  const inflater = createInflateRaw({ chunkSize: INFLATED_PIECE_BYTES });
  // An error of either is thrown by the iteration below.
  pipeline(Readable.from(packed), inflater, () => undefined);
  try {
    for await (const piece of inflater) yield piece;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('Z_')) throw error;
    throw new UnreadableFileError(
      'damaged',
      `A part of the file cannot be unpacked (${code})`,
      name,
    );
  }
}
