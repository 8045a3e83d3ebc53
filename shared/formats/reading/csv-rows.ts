import { Parser } from 'csv-parse';
import { UnreadableFileError } from '../../domain/errors.ts';
import { fieldOfHeading } from '../../domain/field-of-heading.ts';
import type { FileRow, ReadOptions } from '../../domain/import.ts';
import { MAX_IMPORT_ROW_BYTES } from '../../domain/limits.ts';
import { unescapeFormula } from '../csv.ts';
import { checkCell, checkedRows } from './checked-rows.ts';
import { columnsOf, unknownColumnsOf } from './columns.ts';
import type { FileSource } from './file-source.ts';
import { type CellFault, RowReader } from './row-of-cells.ts';
import type { FileWarning, RowsOfFile } from './rows-of-file.ts';
import { asUtf8, detectEncoding, type TextFile } from './text-encoding.ts';

const DELIMITERS = { comma: ',', semicolon: ';', tab: '\t' } as const;
/** Bytes of the file's beginning in which the headings are looked for. */
const HEAD_BYTES = 64 * 1024;
/** First line that names the delimiter for Excel, which does not show it. */
const SEPARATOR_LINE = /^sep=([^\r\n"])(?:\r\n|\r|\n|$)/i;

/**
 * Reads the rows of a CSV file (RFC 4180), also as spreadsheets save it: in the encoding and with
 * the delimiter that it shows, and with a first line `sep=;`.
 */
export async function csvRows(source: FileSource, options: ReadOptions): Promise<RowsOfFile> {
  const textFile = await detectEncoding(source, options.encoding);
  const pieces = asUtf8(source, textFile);
  try {
    return await rowsOf(pieces, textFile, options);
  } catch (error) {
    // Otherwise the stream that has begun would stay open.
    await pieces.return();
    throw error;
  }
}

async function rowsOf(
  pieces: AsyncGenerator<Buffer, void, undefined>,
  textFile: TextFile,
  options: ReadOptions,
): Promise<RowsOfFile> {
  const head = await headOf(pieces);
  if (head.subarray(0, head.indexOf('\n') + 1 || head.length).includes(0)) {
    const detail = 'The file is not text, or is UTF-16 without a byte order mark; save it as UTF-8';
    throw new UnreadableFileError('wrongFormat', detail);
  }
  const beginning = head.toString();
  const separatorLine = SEPARATOR_LINE.exec(beginning);
  const delimiter =
    separatorLine?.[1] ?? namedDelimiter(options.delimiter) ?? delimiterOf(beginning);
  const skipped = separatorLine?.[0] ?? '';
  const records = recordsOf(
    chain(head.subarray(Buffer.byteLength(skipped)), pieces),
    delimiter,
    separatorLine ? 2 : 1,
  );
  const first = await records.next();
  const [header, ...rest] = first.value ?? [];
  const where = `line ${header?.line ?? 1}`;
  const columns = columnsOf(header?.cells ?? [], where);
  const isOfPrograms = options.formulas === 'keep';
  const reader = new RowReader(columns, {
    textOf: isOfPrograms ? undefined : unescapeFormula,
    shortenedNumbers: !isOfPrograms,
    errorsAsTexts: !isOfPrograms,
    headingsAgain: true,
    singleBytes: textFile.encoding === 'windows-1252',
  });
  async function* batches() {
    for await (const batch of chain(rest, records)) {
      yield batch.map(({ line, cells, isLast }): FileRow => {
        const isCut = isLast && cells.length < columns.length;
        return { ...reader.row(line, cells, undefined, isCut ? [CUT] : []), cells };
      });
    }
  }
  const warnings: FileWarning[] = [];
  return {
    columns,
    encoding: textFile.encoding,
    delimiter,
    unknownColumns: unknownColumnsOf(columns),
    sheetsNotRead: [],
    warnings,
    rows: checkedRows(batches(), warnings),
  };
}

const CUT: CellFault = {
  code: 'cut',
  detail: 'The row has fewer cells than there are columns and no line end; the file may be cut',
};

async function headOf(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  const head: Buffer[] = [];
  let bytes = 0;
  while (bytes < HEAD_BYTES) {
    const { done, value } = await pieces.next();
    if (done) break;
    head.push(value);
    bytes += value.length;
  }
  return Buffer.concat(head);
}

async function* chain<T>(first: T, others: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield first;
  yield* others;
}

function namedDelimiter(name: ReadOptions['delimiter'] = 'auto'): string | undefined {
  return name === 'auto' ? undefined : DELIMITERS[name];
}

/** Returns the delimiter at which the first row splits into most headings of fields. */
function delimiterOf(beginning: string): string {
  const scores = Object.values(DELIMITERS).map((delimiter) => {
    const headings = firstRow(beginning, delimiter);
    const known = headings.filter((heading) => fieldOfHeading(heading) !== undefined);
    return { delimiter, score: known.length + headings.length / 10_000 };
  });
  return scores.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

/** Splits the first row with text, well enough to detect its delimiter. */
function firstRow(text: string, delimiter: string): readonly string[] {
  const cell = new RegExp(
    `(?:"((?:[^"]|"")*)"|([^${delimiter}\\r\\n]*))(${delimiter}|[\\r\\n]+|$)`,
    'gy',
  );
  const cells: string[] = [];
  for (const [whole, quoted, plain, end] of text.trimStart().matchAll(cell)) {
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end !== delimiter || whole === '') break;
  }
  return cells;
}

interface CsvRecord {
  /** Number of its first line. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Whether it has no line end, so that the file may be cut there. */
  readonly isLast: boolean;
}

const LINE_ENDS = ['\r\n', '\n', '\r'];
const LINE_END_BYTES: ReadonlySet<number> = new Set(Buffer.from('\r\n'));
const LINE_END = /\r\n|\r|\n/g;

/** Streams records that have text, in batches. */
async function* recordsOf(
  pieces: AsyncIterable<Buffer>,
  delimiter: string,
  firstLine: number,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  let batch: CsvRecord[] = [];
  let line = firstLine;
  let last: CsvRecord | undefined;
  let failure: Error | null | undefined;
  const parser = new Parser({
    delimiter,
    record_delimiter: LINE_ENDS,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: MAX_IMPORT_ROW_BYTES,
    on_record: (cells: string[]) => {
      const start = line;
      line += 1;
      // Otherwise a row with fewer or more cells than the first takes ten times as long: the parser
      // creates an error for it, which `relax_column_count` has it drop.
      (parser.info as { records: number }).records = 0;
      let hasText = false;
      for (const cell of cells) {
        if (cell === '') continue;
        hasText ||= cell.trim() !== '';
        checkCell(cell, () => `line ${start}`);
        if (cell.includes('\n') || cell.includes('\r')) {
          line += cell.match(LINE_END)?.length ?? 0;
        }
      }
      last = hasText ? { line: start, cells, isLast: false } : undefined;
      if (last) batch.push(last);
      return undefined;
    },
  });
  // The same error is given to the callbacks below.
  parser.on('error', () => undefined);
  parser.resume();
  const done = (resolve: () => void) => (error?: Error | null) => {
    failure ??= error;
    resolve();
  };
  /** Bytes since the last piece in which a record ended. */
  let pending = 0;
  let lastByte = 0;
  for await (const piece of pieces) {
    const before = line;
    await new Promise<void>((resolve) => parser.write(piece, done(resolve)));
    lastByte = piece.at(-1) ?? lastByte;
    if (failure) throw readable(failure, line);
    pending = line === before ? pending + piece.length : 0;
    if (pending > MAX_IMPORT_ROW_BYTES) throw rowTooLong(line);
    if (batch.length === 0) continue;
    yield batch;
    batch = [];
  }
  await new Promise<void>((resolve) => parser.end(done(resolve)));
  if (failure) throw readable(failure, line);
  if (last && !LINE_END_BYTES.has(lastByte)) batch.push({ ...(batch.pop() ?? last), isLast: true });
  if (batch.length > 0) yield batch;
}

function rowTooLong(line: number): UnreadableFileError {
  const detail = `A row has more than ${MAX_IMPORT_ROW_BYTES} bytes; look for a quotation mark that does not end`;
  return new UnreadableFileError('rowTooLong', detail, `line ${line}`);
}

/** Returns the error of a parser in our terms. */
function readable(error: unknown, line: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'CSV_MAX_RECORD_SIZE') return rowTooLong(line);
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    const detail = 'A quotation mark begins a cell that does not end; the file may be cut';
    return new UnreadableFileError('truncated', detail, `line ${line}`);
  }
  return error;
}
