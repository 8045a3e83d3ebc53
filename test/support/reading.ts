import type { FileRow, ReadOptions } from '../../shared/domain/import.ts';
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
