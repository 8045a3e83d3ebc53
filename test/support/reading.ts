import type { FileRow, ImportFormat, ReadOptions } from '../../shared/domain/import.ts';
import { type FileSource, sourceOfBytes } from '../../shared/formats/reading/file-source.ts';
import { readRows } from '../../shared/formats/reading/read-rows.ts';
import type { RowsOfFile } from '../../shared/formats/reading/rows-of-file.ts';

/** Reads all rows of a file. */
export async function readAll(
  file: Uint8Array | string | FileSource,
  options: ReadOptions,
): Promise<Omit<RowsOfFile, 'rows'> & { readonly rows: readonly FileRow[] }> {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const source = bytes instanceof Uint8Array ? sourceOfBytes(bytes) : bytes;
  const { rows: batches, ...read } = await readRows(source, options);
  const rows: FileRow[] = [];
  for await (const batch of batches) rows.push(...batch);
  return { ...read, rows };
}

/** Reads the rows of a file without keeping them, and returns how many there are. */
export async function countRows(
  pieces: Iterable<Uint8Array>,
  format: ImportFormat,
): Promise<number> {
  const all = [...pieces];
  const bytes = all.reduce((sum, piece) => sum + piece.length, 0);
  const source = {
    bytes,
    async *read(from = 0, to = bytes) {
      let at = 0;
      for (const piece of all) {
        const start = Math.max(from - at, 0);
        const end = Math.min(to - at, piece.length);
        if (start < end) yield piece.subarray(start, end);
        at += piece.length;
      }
    },
  };
  const { rows } = await readRows(source, { format });
  let found = 0;
  for await (const batch of rows) found += batch.length;
  return found;
}

/** Returns a source that yields its bytes in two pieces, or three if a range has both cuts. */
export function cutAt(bytes: Uint8Array, ...cuts: readonly number[]): FileSource {
  return {
    bytes: bytes.length,
    async *read(from = 0, to = bytes.length) {
      const inside = cuts.filter((cut) => cut > from && cut < to);
      let start = from;
      for (const end of [...inside, to]) {
        yield bytes.subarray(start, end);
        start = end;
      }
    },
  };
}

/** Returns a source that yields its bytes in pieces of one size. */
export function inPiecesOf(size: number, bytes: Uint8Array): FileSource {
  return {
    bytes: bytes.length,
    async *read(from = 0, to = bytes.length) {
      for (let at = from; at < to; at += size) yield bytes.subarray(at, Math.min(at + size, to));
    },
  };
}
