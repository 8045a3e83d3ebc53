import { UnreadableFileError } from '../../domain/errors.ts';
import type { FileRow, ReadOptions } from '../../domain/import.ts';
import { MAX_IMPORT_TEXT_LENGTH } from '../../domain/limits.ts';
import { checkedRows } from './checked-rows.ts';
import { columnsOf, unknownColumnsOf } from './columns.ts';
import type { FileSource } from './file-source.ts';
import { RowReader } from './row-of-cells.ts';
import type { FileWarning, RowsOfFile } from './rows-of-file.ts';
import { SheetReader, type SheetRow } from './sheet-reader.ts';
import { readWorkbook, type Sheet, WORKBOOK_DEPTH, type Workbook } from './workbook.ts';
import { readXml } from './xml-events.ts';
import { ZipArchive } from './zip-archive.ts';

/**
 * Reads the rows of an XLSX workbook: those of the named sheet, or of the first visible one with
 * rows and of all that have the same headings, as exports of more rows than a sheet holds have.
 */
export async function xlsxRows(source: FileSource, options: ReadOptions): Promise<RowsOfFile> {
  const archive = await ZipArchive.open(source);
  const workbook = await readWorkbook(archive);
  const { sheets, header, where } = await sheetsToRead(archive, workbook, options.sheet);
  const columns = columnsOf(header?.cells ?? [], where);
  const warnings: FileWarning[] = [];
  const reader = new RowReader(columns, { shortenedNumbers: true, headingsAgain: true });
  async function* batches() {
    /** Rows of the sheets before: numbers go on, so that each is of one row. */
    let before = 0;
    let length = 0;
    for (const sheet of sheets) {
      let last = 0;
      let isHeader = true;
      for await (const batch of rowsOf(archive, workbook, sheet)) {
        last = batch.at(-1)?.number ?? last;
        const rows = isHeader ? batch.slice(1) : batch;
        isHeader = false;
        yield rows.map(({ number, cells, length: ofRow, faults }): FileRow => {
          length += ofRow;
          if (length > MAX_IMPORT_TEXT_LENGTH) throw tooMuchText(sheet, number);
          // A sheet leaves empty cells out.
          const all = [
            ...cells,
            ...Array<string>(Math.max(0, columns.length - cells.length)).fill(''),
          ];
          return { ...reader.row(before + number, all, faults), cells: all };
        });
      }
      before += last;
    }
  }
  return {
    columns,
    unknownColumns: unknownColumnsOf(columns),
    sheetsNotRead: workbook.sheets
      .filter((sheet) => !sheets.includes(sheet))
      .map(({ name }) => name),
    warnings,
    rows: checkedRows(batches(), warnings),
  };
}

function tooMuchText({ name }: Sheet, row: number): UnreadableFileError {
  const detail = `The cells of the file have more than ${MAX_IMPORT_TEXT_LENGTH} characters; divide it into several`;
  return new UnreadableFileError('bomb', detail, `sheet ${name}, row ${row}`);
}

interface SheetsToRead {
  readonly sheets: readonly Sheet[];
  /** The row of headings of the first one. */
  readonly header: SheetRow | undefined;
  readonly where: string;
}

async function sheetsToRead(
  archive: ZipArchive,
  workbook: Workbook,
  name: string | undefined,
): Promise<SheetsToRead> {
  if (name !== undefined) {
    const sheet = workbook.sheets.find((each) => each.name === name);
    if (!sheet) {
      throw new UnreadableFileError(
        'noSuchSheet',
        `The workbook has no sheet \`${name}\`; there are ${namesOf(workbook)}`,
      );
    }
    const header = await firstRow(archive, workbook, sheet);
    return { sheets: [sheet], header, where: `sheet ${name}` };
  }
  const sheets: Sheet[] = [];
  let header: SheetRow | undefined;
  for (const sheet of workbook.sheets.filter(({ isHidden }) => !isHidden)) {
    const first = await firstRow(archive, workbook, sheet);
    if (!first) continue;
    header ??= first;
    if (hasSameCells(first, header)) sheets.push(sheet);
  }
  if (!header && workbook.sheets.some(({ isHidden }) => isHidden)) {
    const detail = `No sheet has rows that is not hidden; name a hidden one in \`sheet\`, or show it: ${namesOf(workbook)}`;
    throw new UnreadableFileError('noHeader', detail, 'the workbook');
  }
  return { sheets, header, where: sheets[0] ? `sheet ${sheets[0].name}` : 'the workbook' };
}

function namesOf({ sheets }: Workbook): string {
  return sheets.map(({ name }) => `\`${name}\``).join(', ');
}

function hasSameCells({ cells: one }: SheetRow, { cells: other }: SheetRow): boolean {
  return one.length === other.length && one.every((cell, index) => cell === other[index]);
}

async function firstRow(
  archive: ZipArchive,
  workbook: Workbook,
  sheet: Sheet,
): Promise<SheetRow | undefined> {
  for await (const [row] of rowsOf(archive, workbook, sheet)) return row;
  return undefined;
}

/**
 * Bytes of a sheet whose rows are in memory at once, since cells in them can share long texts. Slices of 64
 * KiB took no less CPU time, and 40 MB more for full rows.
 */
const SLICE_BYTES = 8 * 1024;

function rowsOf(archive: ZipArchive, workbook: Workbook, { name, part }: Sheet) {
  const reader = new SheetReader(workbook, name);
  return readXml(slices(archive.read(part)), reader, {
    maxDepth: WORKBOOK_DEPTH,
    where: () => reader.where,
  });
}

async function* slices(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      yield piece.subarray(at, at + SLICE_BYTES);
    }
  }
}
