import type { ImportFormat } from '../../../shared/domain/import.ts';

/** Why a file is not sent; a key of the texts. */
export type FileFault = 'xls' | 'ods' | 'pdf' | 'other';

/** Bytes of a file's beginning that show what it is. */
const BEGINNING = 4_096;
const ZIP = [0x50, 0x4b];
/** Compound File Binary: the old formats of Office, and new files with a password. */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0];
/** Other files that are ZIP archives. */
const NO_SPREADSHEETS = ['docx', 'pptx', 'odt', 'pages', 'zip'];
const PDF = [0x25, 0x50, 0x44, 0x46];
const UTF_16_MARKS = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/**
 * Returns the format of a file by its content; its name decides where the content does not. A name
 * alone would be wrong for many files that people call `.csv` or `.xls`.
 */
export async function formatOf(file: File): Promise<ImportFormat | { readonly fault: FileFault }> {
  const bytes = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  const begins = (mark: readonly number[]) => mark.every((byte, index) => bytes[index] === byte);
  const [, extension = ''] = /\.(\w+)$/.exec(file.name.toLowerCase()) ?? [];
  if (begins(COMPOUND_FILE)) return { fault: 'xls' };
  if (begins(PDF)) return { fault: 'pdf' };
  if (begins(ZIP)) {
    if (extension === 'ods' || extension === 'numbers') return { fault: 'ods' };
    return NO_SPREADSHEETS.includes(extension) ? { fault: 'other' } : 'xlsx';
  }
  if (UTF_16_MARKS.some(begins)) return 'csv';
  if (bytes.includes(0)) return { fault: 'other' };
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (text.startsWith('<'))
    return extension === 'xls' || extension === 'html' ? { fault: 'other' } : 'xml';
  if (text.startsWith('{')) return 'jsonl';
  return 'csv';
}
