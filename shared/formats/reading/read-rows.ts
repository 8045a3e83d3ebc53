import { UnreadableFileError } from '../../domain/errors.ts';
import type { ReadOptions } from '../../domain/import.ts';
import { MAX_IMPORT_BYTES } from '../../domain/limits.ts';
import type { FileSource } from './file-source.ts';
import type { RowsOfFile } from './rows-of-file.ts';

/**
 * Reads the rows of a file that is to be imported, in memory that does not grow with the file.
 *
 * @throws {UnreadableFileError} if the file cannot be read as a whole; also while its rows are read.
 * @example
 * const file = await readRows(sourceOfBytes(bytes), { format: 'csv' });
 * for await (const batch of file.rows) console.log(batch.length, file.columns);
 */
export async function readRows(source: FileSource, options: ReadOptions): Promise<RowsOfFile> {
  if (source.bytes > MAX_IMPORT_BYTES) {
    const detail = `The file must have at most ${MAX_IMPORT_BYTES} bytes, and has ${source.bytes}`;
    throw new UnreadableFileError('fileTooLarge', detail);
  }
  // Each format's parser is loaded if it is needed.
  switch (options.format) {
    case 'csv': {
      const { csvRows } = await import('./csv-rows.ts');
      return csvRows(source, options);
    }
    default:
      throw new UnreadableFileError('unsupported', `${options.format} cannot be read yet`);
  }
}
