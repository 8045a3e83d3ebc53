import { type FaultLanguage, faultText } from '../domain/fault-texts.ts';
import type { ImportFormat, PlannedRow, RowFault } from '../domain/import.ts';
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
 * so that they can be mended and sent again.
 *
 * @param batches of rows, in order.
 */
export async function* rejectedRowsFile(
  batches: AsyncIterable<readonly RejectedRow[]>,
  options: RejectedRowsOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const own = ownHeadings(options.headings);
  const headings = [...own, ...HEADINGS[options.language]];
  const { start, rows, end } = options.format === 'csv' ? csvFile() : workbook();
  yield await start();
  for await (const batch of batches) {
    if (batch.length > 0) yield await rows(batch.map((row) => cellsOf(row, own.length, options)));
  }
  yield await end();

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
      rows: async (all: readonly (readonly string[])[]) => Buffer.from(all.map(line).join('')),
      end: async () => Buffer.alloc(0),
    };
  }

  function workbook() {
    const { encoder, row } = textWorkbook(headings, SHEET_NAMES[options.language]);
    return {
      start: () => encoder.start(),
      rows: (all: readonly (readonly string[])[]) =>
        encoder.rows(
          Buffer.from(all.map((cells) => row(cells.slice(0, MAX_COLUMNS).map(cut))).join('')),
        ),
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
  const errors = faults.map((fault) => {
    const text = faultText(fault, language);
    return isOne || fault.column === undefined ? text : `${fault.column}: ${text}`;
  });
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
