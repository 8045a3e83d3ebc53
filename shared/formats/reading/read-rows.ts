import { UnreadableFileError } from '../../domain/errors.ts';
import type { ImportFormat, ReadOptions } from '../../domain/import.ts';
import { MAX_IMPORT_BYTES } from '../../domain/limits.ts';
import { bytesOf, type FileSource } from './file-source.ts';
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
    const detail = `The file has ${source.bytes} bytes; the maximum is ${MAX_IMPORT_BYTES}`;
    throw new UnreadableFileError('fileTooLarge', detail);
  }
  const kind = kindOf(await bytesOf(source, 0, Math.min(SIGNATURE_BYTES, source.bytes)));
  if (kind !== undefined && kind !== options.format) throw wrongFormat(kind, options.format);
  if (kind === undefined && options.format === 'xlsx') {
    throw new UnreadableFileError('wrongFormat', 'The file is not an XLSX workbook');
  }
  // Each format's parser is loaded if it is needed.
  switch (options.format) {
    case 'csv': {
      const { csvRows } = await import('./csv-rows.ts');
      return csvRows(source, options);
    }
    case 'xlsx': {
      const { xlsxRows } = await import('./xlsx-rows.ts');
      return xlsxRows(source, options);
    }
    case 'xml': {
      const { xmlRows } = await import('./xml-rows.ts');
      return xmlRows(source);
    }
    case 'jsonl': {
      const { jsonlRows } = await import('./jsonl-rows.ts');
      return jsonlRows(source);
    }
  }
}

const SIGNATURE_BYTES = 4;

/** Formats that are known by their first bytes. */
const SIGNATURES = [
  [Buffer.from('PK\x03\x04'), 'xlsx'],
  // The container of Excel's old format, and of what Excel encrypts.
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), 'encrypted'],
  [Buffer.from([0x1f, 0x8b]), 'gzip'],
] as const;
type Kind = (typeof SIGNATURES)[number][1];

function kindOf(head: Buffer): Kind | undefined {
  return SIGNATURES.find(([bytes]) => head.subarray(0, bytes.length).equals(bytes))?.[1];
}

function wrongFormat(kind: Kind, format: ImportFormat): UnreadableFileError {
  switch (kind) {
    case 'encrypted':
      return new UnreadableFileError(
        'encrypted',
        'The file is protected by a password, or in the old format .xls; save it as .xlsx without a password',
      );
    case 'gzip':
      return new UnreadableFileError('wrongFormat', 'The file is compressed by gzip; unpack it');
    case 'xlsx':
      return new UnreadableFileError(
        'wrongFormat',
        `The file is an XLSX workbook or a ZIP archive, not ${format}`,
      );
  }
}
