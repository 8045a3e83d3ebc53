import { UnreadableFileError } from '../../domain/errors.ts';
import { MAX_IMPORT_COLUMNS, MAX_IMPORT_ROW_BYTES } from '../../domain/limits.ts';
import { columnName } from '../xlsx.ts';
import { checkCell } from './checked-rows.ts';
import { applyPattern, dateText } from './number-format.ts';
import { type CellFault, SPREADSHEET_ERROR } from './row-of-cells.ts';
import { RichText, unescapeText, type Workbook } from './workbook.ts';
import type { XmlReader } from './xml-events.ts';

/** A row of a sheet that has text. */
export interface SheetRow {
  /** From 1. */
  readonly number: number;
  readonly cells: readonly string[];
  /** UTF-16 code units of all cells. */
  readonly length: number;
  /** What is wrong with cells, by the index of their column. */
  readonly faults: ReadonlyMap<number, CellFault>;
}

const NO_FAULTS: ReadonlyMap<number, CellFault> = new Map();
/** Digits that a number in Excel keeps. */
const MAX_NUMBER = 1e15;
/** Rows and columns of a sheet in Excel. */
const MAX_ROW = 1_048_576;
const MAX_COLUMN = 16_384;

/** Reads the rows of a sheet; the value of a formula is the one that was stored. */
export class SheetReader implements XmlReader<SheetRow> {
  readonly #workbook: Workbook;
  readonly #sheet: string;
  readonly #text = new RichText();
  readonly #where = () => this.where;
  #rows: SheetRow[] = [];
  #number = 0;
  #cells: string[] = [];
  /** Characters of the row. */
  #length = 0;
  #faults: Map<number, CellFault> | undefined;
  #column = -1;
  #type = 'n';
  #style = 0;
  #value: string | undefined;
  #isInValue = false;
  #hasFormula = false;

  constructor(workbook: Workbook, sheet: string) {
    this.#workbook = workbook;
    this.#sheet = sheet;
  }

  get where(): string {
    const cell = this.#column === -1 ? '' : `, column ${columnName(this.#column)}`;
    return `sheet ${this.#sheet}, row ${this.#number}${cell}`;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    switch (name) {
      case 'row':
        this.#openRow(attributes.r);
        break;
      case 'c':
        this.#openCell(attributes);
        break;
      case 'v':
        this.#value = '';
        this.#isInValue = true;
        break;
      case 'f':
        this.#hasFormula = true;
        break;
      default:
        this.#text.open(name);
    }
  }

  text(text: string): void {
    if (this.#isInValue) this.#value += text;
    else this.#text.add(text, this.#where);
  }

  close(name: string): void {
    switch (name) {
      case 'v':
        this.#isInValue = false;
        break;
      case 'c':
        this.#closeCell();
        break;
      case 'row':
        if (this.#cells.some((cell) => cell.trim() !== '') || this.#faults) {
          const faults = this.#faults ?? NO_FAULTS;
          const [number, cells, length] = [this.#number, this.#cells, this.#length];
          this.#rows.push({ number, cells, length, faults });
        }
        break;
      default:
        this.#text.close(name);
    }
  }

  take(): readonly SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #openRow(reference: string | undefined): void {
    const number = reference === undefined ? this.#number + 1 : Number(reference);
    this.#column = -1;
    if (!(Number.isInteger(number) && number > this.#number && number <= MAX_ROW)) {
      throw this.#damaged(`has the row ${reference} after row ${this.#number}`);
    }
    this.#number = number;
    this.#cells = [];
    this.#length = 0;
    this.#faults = undefined;
  }

  #openCell({ r: reference, t: type = 'n', s: style }: Readonly<Record<string, string>>): void {
    const column = reference === undefined ? this.#column + 1 : columnIndex(reference);
    if (column === undefined || column <= this.#column || column >= MAX_COLUMN) {
      throw this.#damaged(`has the cell ${reference} after column ${columnName(this.#column)}`);
    }
    this.#column = column;
    this.#type = type;
    this.#style = style === undefined ? 0 : Number(style);
    this.#value = undefined;
    this.#isInValue = false;
    this.#hasFormula = false;
    this.#text.clear();
  }

  #closeCell(): void {
    const text = this.#cellText();
    if (text === '' && !this.#faults?.has(this.#index)) return;
    checkCell(text, this.#where);
    this.#length += text.length;
    if (this.#length > MAX_IMPORT_ROW_BYTES) {
      const detail = `A row has more than ${MAX_IMPORT_ROW_BYTES} characters`;
      throw new UnreadableFileError('rowTooLong', detail, this.where);
    }
    for (let index = this.#cells.length; index < this.#index; index += 1) this.#cells.push('');
    this.#cells[this.#index] = text;
  }

  /** Columns past the maximum are too many, however far away. */
  get #index(): number {
    return Math.min(this.#column, MAX_IMPORT_COLUMNS);
  }

  #cellText(): string {
    if (this.#type === 'inlineStr') return this.#text.value;
    const value = this.#value;
    if (value === undefined) {
      if (this.#hasFormula) this.#report(NOT_CALCULATED);
      return '';
    }
    switch (this.#type) {
      case 's':
        return this.#sharedText(value);
      case 'str':
        return unescapeText(value);
      case 'b':
        return value === '1' ? 'true' : 'false';
      case 'e':
        this.#report(SPREADSHEET_ERROR);
        return value;
      case 'd':
        return value.replace(/T00:00(?::00(?:\.0+)?)?Z?$/, '');
      case 'n':
        return value === '' ? '' : this.#numberText(value);
      default:
        throw this.#damaged(`has a cell of the unknown type ${this.#type}`);
    }
  }

  #sharedText(index: string): string {
    const text = /^\d{1,9}$/.test(index) ? this.#workbook.texts.at(Number(index)) : undefined;
    if (text === undefined) throw this.#damaged(`refers to the text ${index}, which it lacks`);
    return text;
  }

  #numberText(value: string): string {
    const number = Number(value);
    if (!Number.isFinite(number)) throw this.#damaged(`has the number ${value}`);
    const format = this.#workbook.formats[this.#style];
    if (format?.kind === 'date') {
      const date = dateText(number, this.#workbook.is1904);
      if (date !== undefined) return date;
    }
    if (Math.abs(number) >= MAX_NUMBER) {
      this.#report(TOO_MANY_DIGITS);
      return value;
    }
    // What a number has beyond its digits comes from calculations with fractions of 2.
    const plain = plainNumber(Number(number.toPrecision(15)));
    return format?.kind === 'digits' && /^\d+$/.test(plain)
      ? applyPattern(format.pattern, plain)
      : plain;
  }

  #report(fault: CellFault): void {
    this.#faults ??= new Map();
    this.#faults.set(this.#index, fault);
  }

  #damaged(detail: string): UnreadableFileError {
    return new UnreadableFileError('damaged', `The sheet ${detail}`, this.where);
  }
}

const NOT_CALCULATED: CellFault = {
  code: 'notCalculated',
  detail:
    'must not be a formula that was not calculated; open the file in a spreadsheet and save it',
};
const TOO_MANY_DIGITS: CellFault = {
  code: 'tooManyDigits',
  detail:
    'must not be a number of more than 15 digits, of which a spreadsheet loses the last; format the column as text and enter it again',
};

/** Returns a number without an exponent. */
function plainNumber(number: number): string {
  const text = String(number);
  return text.includes('e') ? number.toFixed(20).replace(/\.?0+$/, '') : text;
}

/** Returns the index of the column in a cell's reference, such as 1 of `B7`. */
function columnIndex(reference: string): number | undefined {
  let index = 0;
  let at = 0;
  for (; at < reference.length; at += 1) {
    const code = reference.charCodeAt(at) - 64;
    if (code < 1 || code > 26) break;
    index = index * 26 + code;
  }
  return at > 0 && at <= 3 ? index - 1 : undefined;
}
