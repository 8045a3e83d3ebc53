import type { ImportFormat } from '../../shared/domain/import.ts';
import {
  MAX_IMPORT_CELL_LENGTH,
  MAX_IMPORT_ROWS,
  MAX_IMPORT_TEXT_LENGTH,
} from '../../shared/domain/limits.ts';
import { textRow, workbookFile } from './workbook-file.ts';

/** A file that no import reads to its end. */
interface RefusedFile {
  readonly format: ImportFormat;
  readonly pieces: () => Uint8Array[];
  /** Code of the error. */
  readonly code: string;
}

/** How a file was refused. */
export interface RefusedFileResult {
  /** Code of the error; undefined if the file was read. */
  readonly code: string | undefined;
  /** The most memory that reading it and those before it took, besides the program. */
  readonly peakMegabytes: number;
}

/** Files that are large or deep without an end, by what is wrong with them. */
export const REFUSED_FILES: Readonly<Record<string, RefusedFile>> = {
  'a quotation mark does not end': {
    format: 'csv',
    pieces: () => [Buffer.from('Namn\n"'), ...repeated('a', 100)],
    code: 'rowTooLong',
  },
  'a row does not end': {
    format: 'csv',
    pieces: () => [Buffer.from('Namn\n'), ...repeated(';', 100)],
    code: 'rowTooLong',
  },
  'its headings do not end': {
    format: 'csv',
    pieces: () => repeated('Namn;', 100),
    code: 'rowTooLong',
  },
  'a line does not end': {
    format: 'jsonl',
    pieces: () => [Buffer.from('{"name":"'), ...repeated('a', 100)],
    code: 'rowTooLong',
  },
  'a line has objects inside one another': {
    format: 'jsonl',
    pieces: () => [
      Buffer.from('{"name":'),
      Buffer.from('['.repeat(900_000) + ']'.repeat(100_000)),
      Buffer.from('}\n'),
    ],
    code: 'wrongFormat',
  },
  'an element does not end': {
    format: 'xml',
    pieces: () => [Buffer.from('<customers><customer><name>'), ...repeated('a', 100)],
    code: 'rowTooLong',
  },
  'a comment does not end': {
    format: 'xml',
    pieces: () => [Buffer.from('<customers><!--'), ...repeated('a', 100)],
    code: 'rowTooLong',
  },
  'elements have no end': {
    format: 'xml',
    pieces: () => repeated('<customers>', 100),
    code: 'wrongFormat',
  },
  'it names thousands of fields': {
    format: 'xml',
    pieces: () => [
      Buffer.from('<customers><customer>'),
      ...Array.from({ length: 1_000 }, (_, index) => Buffer.from(`<f${index}/>`)),
    ],
    code: 'tooManyColumns',
  },
  'its cells share texts, of more than 1 GiB in all': {
    format: 'xlsx',
    pieces: () => [sharedTexts(MAX_IMPORT_TEXT_LENGTH + 1)],
    code: 'bomb',
  },
  'it has too many rows': {
    format: 'csv',
    pieces: () => [Buffer.from('Namn\n'), Buffer.from('a\n'.repeat(MAX_IMPORT_ROWS + 1))],
    code: 'tooManyRows',
  },
};

/** Returns a workbook of a few kilobytes, whose cells share a text. */
function sharedTexts(length: number): Buffer {
  const row = `<row>${'<c t="s"><v>0</v></c>'.repeat(26)}</row>`;
  const rows = Math.ceil(length / MAX_IMPORT_CELL_LENGTH / 26);
  const texts = `<si><t>${'a'.repeat(MAX_IMPORT_CELL_LENGTH)}</t></si>`;
  return workbookFile({ Blad1: textRow(1, 'Namn') + row.repeat(rows) }, { texts });
}

/** Returns a text repeated to a size, as pieces that share their memory. */
function repeated(text: string, megabytes: number): Uint8Array[] {
  const piece = Buffer.from(text.repeat(Math.ceil(1_000_000 / text.length)));
  return Array<Uint8Array>(megabytes).fill(piece);
}
