import { isUtf8 } from 'node:buffer';
import { UnreadableFileError } from '../../domain/errors.ts';
import type { ReadOptions } from '../../domain/import.ts';
import { bytesOf, type FileSource, piecesOf } from './file-source.ts';

type Encoding = Exclude<NonNullable<ReadOptions['encoding']>, 'auto'>;

const BYTE_ORDER_MARKS: readonly (readonly [Encoding, Buffer])[] = [
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

/** The encoding of a text file, and where the text begins. */
export interface TextFile {
  readonly encoding: Encoding;
  /** Bytes of the byte order mark. */
  readonly start: number;
}

/**
 * Detects the encoding of a text file: by its byte order mark; otherwise it is UTF-8 if all of it
 * is, and Windows-1252 if not. A byte order mark overrides the encoding that is named.
 *
 * @throws {UnreadableFileError} `notUtf8` if it is named as UTF-8 and is not.
 */
export async function detectEncoding(
  source: FileSource,
  named: ReadOptions['encoding'] = 'auto',
): Promise<TextFile> {
  const head = await bytesOf(source, 0, Math.min(3, source.bytes));
  const marked = BYTE_ORDER_MARKS.find(([, mark]) => head.subarray(0, mark.length).equals(mark));
  const encoding = marked?.[0] ?? named;
  const start = marked?.[1].length ?? 0;
  if (encoding !== 'auto' && encoding !== 'utf-8') return { encoding, start };
  const line = await firstLineNotUtf8(source);
  if (line === undefined) return { encoding: 'utf-8', start };
  if (encoding === 'auto') return { encoding: 'windows-1252', start };
  const detail =
    'The file is not UTF-8, as which it is marked or was named; save it as UTF-8, or name its encoding';
  throw new UnreadableFileError('notUtf8', detail, `line ${line}`);
}

/** Streams a text file as UTF-8, without its byte order mark. */
export async function* asUtf8(
  source: FileSource,
  { encoding, start }: TextFile,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = piecesOf(source, start);
  if (encoding === 'utf-8') return yield* pieces;
  if (encoding === 'windows-1252') {
    for await (const piece of pieces) yield Buffer.from(fromWindows1252(piece));
    return;
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  for await (const piece of pieces) yield Buffer.from(decoder.decode(piece, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/**
 * Characters of the bytes 0x80 to 0x9F; a byte without one keeps its number, which is a C1 control.
 *
 * @see https://encoding.spec.whatwg.org/#windows-1252
 */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/** Decodes Windows-1252 by a table: Node 23 and 24 had versions that decoded it as Latin 1. */
function fromWindows1252(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] as string);
}

/** Returns the number of the first line that is not UTF-8. */
async function firstLineNotUtf8(source: FileSource): Promise<number | undefined> {
  let line = 1;
  let rest = Buffer.alloc(0);
  for await (const piece of piecesOf(source)) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const end = completeLength(bytes);
    const complete = bytes.subarray(0, end);
    if (!isUtf8(complete)) return line + lineNotUtf8(complete);
    line += count(complete);
    rest = Buffer.from(bytes.subarray(end));
  }
  return rest.length > 0 ? line : undefined;
}

/** Returns the length without a character that has begun and lacks bytes. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) break;
    // Bytes after the first are 10xxxxxx; the first has as many ones as the character has bytes.
    if (byte < 0xc0) continue;
    return Math.clz32(~(byte << 24)) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

const LINE_FEED = 0x0a;

function count(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) {
    lines += 1;
  }
  return lines;
}

/** Returns how many lines precede the first that is not UTF-8. */
function lineNotUtf8(bytes: Buffer): number {
  let line = 0;
  let start = 0;
  for (;;) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    if (feed === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
    line += 1;
  }
}
