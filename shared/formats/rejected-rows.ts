import {
  type FaultLanguage,
  faultText,
  MAX_FAULTS_TOLD,
  moreFaultsText,
} from '../domain/fault-texts.ts';
import type { ImportFormat, PlannedRow, RowFault } from '../domain/import.ts';
import { MAX_REJECTED_BYTES, MAX_REJECTED_ROWS } from '../domain/limits.ts';
import { csv, unescapeFormula } from './csv.ts';
import { textWorkbook } from './xlsx.ts';

/** A row that is not imported, with its cells as sent. */
export type RejectedRow = Extract<
  PlannedRow,
  { readonly outcome: 'invalid' | 'ambiguous' | 'skipped' }
> & { readonly cells?: readonly string[] | undefined };

/** How a file of rejected rows is written. */
export interface RejectedRowsOptions {
  readonly format: 'csv' | 'xlsx';
  readonly language: FaultLanguage;
  /** The columns of the file that was sent, in order. */
  readonly headings: readonly string[];
  /** How that file was read. */
  readonly sent: { readonly format: ImportFormat; readonly formulas?: 'guarded' | 'keep' };
}

/** A piece of a file of rejected rows. */
export interface RejectedPiece {
  readonly bytes: Buffer;
  /** How many rows are in it. */
  readonly rows: number;
}

/** Headings of the columns that follow those of the file. A reader ignores them. */
const HEADINGS: Readonly<Record<FaultLanguage, readonly string[]>> = {
  sv: ['radnummer', 'kolumn', 'fel'],
  en: ['row', 'column', 'error'],
};
/** Swedish settings of Excel open semicolons by double-click. */
const DELIMITERS = { sv: 'semicolon', en: 'comma' } as const;
/** Maximum UTF-16 code units of a cell in Excel, and columns of a sheet. */
const MAX_CELL = 32_767;
const MAX_COLUMNS = 16_384;

/**
 * Streams a file of rows that were not imported: their columns as sent, then row, column and error,
 * so that they can be corrected and sent again. It has the first rows, as many as a file may have.
 *
 * @param batches of rows, in order.
 * @param limits of the file. It ends with the batch that reaches `maxBytes`.
 */
export async function* rejectedRowsFile(
  batches: AsyncIterable<readonly RejectedRow[]>,
  options: RejectedRowsOptions,
  { maxRows = MAX_REJECTED_ROWS, maxBytes = MAX_REJECTED_BYTES } = {},
): AsyncGenerator<RejectedPiece, void, undefined> {
  const own = ownHeadings(options.headings);
  const headings = [...own, ...HEADINGS[options.language]];
  const { start, text, encode, end } = options.format === 'csv' ? csvFile() : workbook();
  let count = 0;
  let bytes = 0;
  yield { bytes: await start(), rows: 0 };
  for await (const batch of batches) {
    const rows = batch.slice(0, maxRows - count);
    if (rows.length === 0) continue;
    const written = text(rows.map((row) => cellsOf(row, own.length, options)));
    count += rows.length;
    bytes += written.length;
    yield { bytes: await encode(written), rows: rows.length };
    if (count === maxRows || bytes >= maxBytes) break;
  }
  yield { bytes: await end(), rows: 0 };

  function csvFile() {
    const keeps = options.sent.format === 'csv' && options.sent.formulas === 'keep';
    const { cell, delimiter } = csv({
      delimiter: DELIMITERS[options.language],
      bom: true,
      formulas: keeps ? 'keep' : 'escape',
    });
    const line = (cells: readonly string[]) => `${cells.map(cell).join(delimiter)}\r\n`;
    return {
      start: async () => Buffer.from(`\ufeff${line(headings)}`),
      text: (rows: readonly (readonly string[])[]) => Buffer.from(rows.map(line).join('')),
      encode: async (lines: Buffer) => lines,
      end: async () => Buffer.alloc(0),
    };
  }

  function workbook() {
    const { encoder, row } = textWorkbook(headings, SHEET_NAMES[options.language]);
    return {
      start: () => encoder.start(),
      text: (rows: readonly (readonly string[])[]) =>
        Buffer.from(rows.map((cells) => row(cells.slice(0, MAX_COLUMNS).map(cut))).join('')),
      encode: (xml: Buffer) => encoder.rows(xml),
      end: () => encoder.end(),
    };
  }
}

const SHEET_NAMES = { sv: 'Fel', en: 'Errors' } as const;

function cut(cell: string): string {
  return cell.slice(0, MAX_CELL);
}

/** Returns the headings without those of a file of rejected rows that was sent again, and in vain. */
function ownHeadings(headings: readonly string[]): readonly string[] {
  const last = headings.slice(-HEADINGS.en.length);
  const isOurs = Object.values(HEADINGS).some((ours) => ours.join() === last.join());
  return isOurs ? headings.slice(0, -last.length) : headings;
}

/**
 * Returns the cells of a row; those past the last heading stay past it.
 *
 * @param ownColumns how many of them are the sender's own.
 */
function cellsOf(
  row: RejectedRow,
  ownColumns: number,
  { headings, language, sent }: RejectedRowsOptions,
): readonly string[] {
  const { cells = [] } = row;
  const isGuarded = sent.format === 'csv' && sent.formulas !== 'keep';
  const texts = isGuarded ? cells.map(unescapeFormula) : cells;
  const own = headings.slice(0, ownColumns).map((_, index) => texts[index] ?? '');
  const faults = faultsOf(row);
  const columns = [...new Set(faults.flatMap(({ column }) => column ?? []))];
  const isOne = columns.length < 2;
  const errors = faults.slice(0, MAX_FAULTS_TOLD).map((fault) => {
    const text = faultText(fault, language);
    return isOne || fault.column === undefined ? text : `${fault.column}: ${text}`;
  });
  const more = faults.length - errors.length;
  if (more > 0) errors.push(moreFaultsText(more, language));
  return [
    ...own,
    String(row.row),
    columns.join(', '),
    errors.join(' '),
    ...texts.slice(headings.length),
  ];
}

function faultsOf(row: RejectedRow): readonly RowFault[] {
  if (row.outcome === 'invalid') return row.errors;
  const { code, detail, params } = row;
  return [{ code, detail, params }];
}
