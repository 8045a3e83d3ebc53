import type { ColumnOptions } from '../domain/export.ts';
import { headingOf } from '../domain/field-headings.ts';
import { fieldsNamed } from '../domain/fields.ts';
import type { Column, EncoderState, FileEncoder, FileFormat } from './row-format.ts';
import { escapeText, SPECIAL_BYTES } from './xml.ts';
import { type ZipState, ZipWriter } from './zip.ts';

export const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Rows of a sheet, its headings included, in Excel and LibreOffice. */
const MAX_ROWS = 1_048_576;
/**
 * Bytes after which the next rows begin another sheet: with those of one more page it is smaller
 * than 4 GiB, the maximum of an entry without ZIP64.
 */
const MAX_SHEET_BYTES = 4_000_000_000;
/** Digits that a number in Excel keeps. */
const MAX_DIGITS = 15;

/*
 * Cells and rows have their numbers (`r`), since exceljs and read-excel-file do not open sheets
 * without. Pages of rows are serialized side by side, so that the numbers are not known then; in
 * their place stands a byte that a text cannot contain.
 */
/** In place of the number of the next row. */
const NEXT_ROW = '\u0001';
const NEXT_ROW_BYTE = 1;
/** In place of the number of the current row. */
const ROW = '\u0000';
/** Room in which a number fits. Each mark is one of 12 bytes or more. */
const MAX_NUMBER_GROWTH = 2;

/** Indexes in `cellXfs` of `xl/styles.xml`, below. */
const TEXT = 1;
const DATE = 2;
const HEADING = 3;

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/**
 * Parts of the file before its sheets. How many sheets there are is not known yet: they are the
 * parts whose content type is the default one.
 */
const FIRST_PARTS: Readonly<Record<string, string>> = {
  '[Content_Types].xml': `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="${CONTENT}.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="${CONTENT}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${CONTENT}.styles+xml"/></Types>`,
  '_rels/.rels': `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  // Format 49 is @: what is typed into such a cell stays text.
  'xl/styles.xml': `<styleSheet xmlns="${MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
};

/**
 * Returns the format of an Office Open XML workbook (ECMA-376, part 1): a sheet with a row for each
 * customer, and another one each {@link MAX_ROWS} rows. Texts are text cells, which spreadsheets
 * neither evaluate nor turn into numbers; ids are numbers, and times are dates in UTC.
 */
export function xlsx({ columns, headers }: ColumnOptions = {}): FileFormat {
  const fields = fieldsNamed(columns);
  const widths = fields.map(({ name, type, maxLength }, index) => {
    // The arrow of the filter takes room, too.
    const heading = headingOf(name, headers).length + 4;
    const ofType = { integer: 10, date: 20, string: maxLength > 255 ? 40 : 16 }[type];
    const style = { integer: 0, date: DATE, string: TEXT }[type];
    const width = Math.min(Math.max(heading, ofType), 40);
    return `<col min="${index + 1}" max="${index + 1}" width="${width}" style="${style}" customWidth="1"/>`;
  });
  const headings = fields.map(({ name }) => headingOf(name, headers));
  const format: FileFormat = {
    mediaType: XLSX_TYPE,
    contentType: XLSX_TYPE,
    extension: 'xlsx',
    head: sheetHead(widths, headings),
    rowStart: ROW_START,
    rowEnd: ROW_END,
    columns: fields.map(({ name, type, unset }, index): Column => {
      const open = `<c r="${columnName(index)}${ROW}"`;
      const rest = { integer: numberCell, date: dateCell, string: undefined }[type];
      const empty = type === 'integer' ? `${open}${numberCell(String(unset))}</c>` : '';
      if (rest) return { of: name, open, close: '</c>', unset: empty, cell: rest };
      return { of: name, open: `${open}${TEXT_OPEN}`, close: `${TEXT_CLOSE}</c>`, unset: empty };
    }),
    cell: escapeCell,
    special: { anywhere: [...SPECIAL_BYTES, '_'.charCodeAt(0)], atStart: [] },
    tail: sheetTail(fields.length),
    encoder: (state) =>
      new WorkbookEncoder(format, headers === 'sv' ? 'Kunder' : 'Customers', state),
  };
  return format;
}

const ROW_START = `<row r="${NEXT_ROW}">`;
const ROW_END = '</row>';

function sheetHead(columns: readonly string[], headings: readonly string[]): string {
  const cells = headings.map(
    (heading, index) =>
      `<c r="${columnName(index)}1" s="${HEADING}" t="inlineStr"><is><t>${escapeCell(heading)}</t></is></c>`,
  );
  return `${DECLARATION}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns.join('')}</cols><sheetData>${ROW_START.replace(NEXT_ROW, '1')}${cells.join('')}${ROW_END}`;
}

function sheetTail(columns: number): string {
  const all = `A1:${columnName(columns - 1)}${ROW}`;
  // Green triangles would mark each number that is a text.
  return `</sheetData><autoFilter ref="${all}"/><ignoredErrors><ignoredError sqref="${all}" numberStoredAsText="1"/></ignoredErrors></worksheet>`;
}

/** Returns an encoder of a workbook whose cells are texts, and what writes its rows. */
export function textWorkbook(
  headings: readonly string[],
  sheetName: string,
): { readonly encoder: FileEncoder; readonly row: (cells: readonly string[]) => string } {
  const widths = headings.map(
    (_, index) =>
      `<col min="${index + 1}" max="${index + 1}" width="16" style="${TEXT}" customWidth="1"/>`,
  );
  const format = {
    head: sheetHead(widths, headings),
    rowStart: ROW_START,
    tail: sheetTail(headings.length),
  };
  const cell = (text: string, index: number) =>
    text && `<c r="${columnName(index)}${ROW}"${TEXT_OPEN}${escapeCell(text)}${TEXT_CLOSE}</c>`;
  return {
    encoder: new WorkbookEncoder(format, sheetName),
    row: (cells) => `${ROW_START}${cells.map(cell).join('')}${ROW_END}`,
  };
}

const TEXT_OPEN = ` s="${TEXT}" t="inlineStr"><is><t xml:space="preserve">`;
const TEXT_CLOSE = '</t></is>';

/** Returns a cell after its `r`: a number, or a text if it is longer than a number may be. */
function numberCell(digits: string): string {
  return digits.length <= MAX_DIGITS
    ? `><v>${digits}</v>`
    : `${TEXT_OPEN}${escapeCell(digits)}${TEXT_CLOSE}`;
}

const DAY_MS = 86_400_000;
/** Days from 1899-12-30 to 1970-01-01. */
const EPOCH_DAY = 25_569;
/** Before 1900-03-01 spreadsheets count differently, as Excel has a February 29th in 1900. */
const FIRST_DAY = 61;

/** Returns a cell after its `r`: the days since the end of 1899, or the text if it is no time. */
function dateCell(time: string): string {
  const day = Date.parse(time) / DAY_MS + EPOCH_DAY;
  return day >= FIRST_DAY
    ? ` s="${DATE}"><v>${day}</v>`
    : `${TEXT_OPEN}${escapeCell(time)}${TEXT_CLOSE}`;
}

/** A text that a reader would take for an escaped character (ECMA-376, part 1, section 22.9.2.19). */
const LOOKS_ESCAPED = /_(?=x[0-9A-Fa-f]{4}_)/g;

function escapeCell(text: string): string {
  return escapeText(text).replace(LOOKS_ESCAPED, '_x005F_');
}

/** Returns the name of a column: A, …, Z, AA, … */
export function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

interface WorkbookState {
  readonly zip: ZipState;
  readonly sheets: number;
  /** Number of the last row in the current sheet. */
  readonly row: number;
}

/** What surrounds the rows of a sheet, and begins each. */
type SheetFormat = Pick<FileFormat, 'head' | 'rowStart' | 'tail'>;

/** Packs sheets of rows into a workbook. */
class WorkbookEncoder implements FileEncoder {
  readonly #format: SheetFormat;
  readonly #sheetName: string;
  readonly #zip: ZipWriter;
  #sheets: number;
  #row: number;
  /** Where rows get their numbers; it grows to what the largest page needs. */
  #scratch = Buffer.alloc(0);

  constructor(format: SheetFormat, sheetName: string, state?: EncoderState) {
    const { zip, sheets = 0, row = 0 } = (state ?? {}) as Partial<WorkbookState>;
    this.#format = format;
    this.#sheetName = sheetName;
    this.#zip = new ZipWriter(zip);
    this.#sheets = sheets;
    this.#row = row;
  }

  get state(): EncoderState {
    const state: WorkbookState = { zip: this.#zip.state, sheets: this.#sheets, row: this.#row };
    return { ...state };
  }

  async start(): Promise<Buffer> {
    return Buffer.concat([await this.#parts(FIRST_PARTS), await this.#startSheet()]);
  }

  async rows(text: Buffer): Promise<Buffer> {
    const packed: Buffer[] = [];
    for (let at = 0; at < text.length; ) {
      if (this.#row === MAX_ROWS || this.#zip.size > MAX_SHEET_BYTES) {
        packed.push(await this.#endSheet(), await this.#startSheet());
      }
      const { rows, end } = this.#numbered(text, at);
      packed.push(await this.#zip.add(rows));
      at = end;
    }
    return Buffer.concat(packed);
  }

  async end(): Promise<Buffer> {
    const lastSheet = await this.#endSheet();
    return Buffer.concat([lastSheet, await this.#parts(this.#lastParts()), this.#zip.end()]);
  }

  async #startSheet(): Promise<Buffer> {
    this.#sheets += 1;
    this.#row = 1;
    const header = this.#zip.begin(`xl/worksheets/sheet${this.#sheets}.xml`);
    return Buffer.concat([header, await this.#zip.add(Buffer.from(this.#format.head))]);
  }

  #endSheet(): Promise<Buffer> {
    return this.#zip.finish(Buffer.from(this.#format.tail.replaceAll(ROW, String(this.#row))));
  }

  async #parts(parts: Readonly<Record<string, string>>): Promise<Buffer> {
    const packed: Buffer[] = [];
    for (const [name, xml] of Object.entries(parts)) {
      packed.push(this.#zip.begin(name), await this.#zip.finish(Buffer.from(DECLARATION + xml)));
    }
    return Buffer.concat(packed);
  }

  #lastParts(): Record<string, string> {
    const numbers = Array.from({ length: this.#sheets }, (_, index) => index + 1);
    const sheets = numbers.map((number) => {
      const name = number === 1 ? this.#sheetName : `${this.#sheetName} ${number}`;
      return `<sheet name="${name}" sheetId="${number}" r:id="rId${number}"/>`;
    });
    const targets = numbers.map(
      (number) =>
        `<Relationship Id="rId${number}" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
    );
    const styles = `<Relationship Id="rId${this.#sheets + 1}" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/>`;
    return {
      'xl/workbook.xml': `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><bookViews><workbookView/></bookViews><sheets>${sheets.join('')}</sheets></workbook>`,
      'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${PACKAGE}/relationships">${targets.join('')}${styles}</Relationships>`,
    };
  }

  /** Returns the rows from an offset with their numbers, as many as the sheet has room for. */
  #numbered(text: Buffer, start: number): { rows: Buffer; end: number } {
    const room = MAX_NUMBER_GROWTH * (text.length - start);
    if (this.#scratch.length < room) this.#scratch = Buffer.allocUnsafeSlow(room);
    const scratch = this.#scratch;
    const rowStartBytes = this.#format.rowStart.indexOf(NEXT_ROW);
    let row = this.#row;
    let digits = Buffer.from(String(row));
    let out = 0;
    let at = start;
    for (; at < text.length; at += 1) {
      const byte = text[at] as number;
      if (byte > NEXT_ROW_BYTE) {
        scratch[out++] = byte;
        continue;
      }
      if (byte === NEXT_ROW_BYTE) {
        if (row === MAX_ROWS) {
          // The start of this row belongs to the next sheet.
          at -= rowStartBytes;
          out -= rowStartBytes;
          break;
        }
        row += 1;
        digits = Buffer.from(String(row));
      }
      for (let digit = 0; digit < digits.length; digit += 1) {
        scratch[out++] = digits[digit] as number;
      }
    }
    this.#row = row;
    return { rows: scratch.subarray(0, out), end: at };
  }
}
