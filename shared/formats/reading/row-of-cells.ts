import { brokenTextRules } from '../../domain/field-text.ts';
import { FIELDS, type FieldName, isWritable, type WritableFieldName } from '../../domain/fields.ts';
import type { FileRow, RowFault } from '../../domain/import.ts';
import { columnName } from '../xlsx.ts';
import type { FileColumn } from './rows-of-file.ts';

/** What a file's format lets happen to its cells. */
export interface CellRules {
  /** Returns the text of a field that a cell stands for. Default: the cell. */
  readonly textOf?: ((cell: string) => string) | undefined;
  /** Whether a spreadsheet may have damaged the cells. */
  readonly fromSpreadsheet?: boolean;
  /** Whether C1 controls are bytes that have no meaning in the file's encoding. */
  readonly singleBytes?: boolean;
}

/** Fields of which a spreadsheet makes numbers. */
const NUMBER_LIKE: ReadonlySet<FieldName> = new Set([
  'customerid',
  'telephone',
  'fax',
  'mobile',
  'companyno',
  'vatregno',
  'housingassociationregno',
  'glncode',
]);
/** A long number as a spreadsheet shows and saves it: `7,3E+12`. */
const SCIENTIFIC = /^\s*[+-]?\d(?:[.,]\d+)?E\+\d+\s*$/i;
/** Errors of formulas in English and Swedish, and a number that its column is too narrow for. */
const ERROR_VALUE =
  /^\s*#(?:#+|N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NULL!|NUM!|SPILL!|CALC!|SAKNAS!|REFERENS!|VÄRDEFEL!|NAMN\?|DIVISION\/0!|SKÄRNING!|OGILTIGT!)\s*$/i;
/** What is looked at closer: controls, and characters that a text cannot have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches them
const SPECIAL = /[\x00-\x1f\x80-\x9f\ud800-\udfff\ufffd-\uffff]/;
const C1_CONTROL = /[\x80-\x9f]/;

/** Reads rows of cells under the same columns. */
export class RowReader {
  readonly #columns: readonly FileColumn[];
  readonly #fields: readonly ReadField[];
  readonly #rules: CellRules;

  constructor(columns: readonly FileColumn[], rules: CellRules) {
    this.#columns = columns;
    this.#rules = rules;
    this.#fields = columns.flatMap(({ field: name, heading }, index): readonly ReadField[] => {
      const field = FIELDS.find((each) => each.name === name);
      if (!field) return [];
      if (field.name === 'mexcParamvaluesetsid') return [{ index, heading, isId: true }];
      if (!isWritable(field)) return [];
      const { maxLength } = field;
      return [
        { index, heading, name: field.name, maxLength, isNumberLike: NUMBER_LIKE.has(field.name) },
      ];
    });
  }

  /**
   * Returns a row. Cells that it lacks at its end are absent; a spreadsheet leaves empty ones out.
   *
   * @param damage faults that are known already; the cells that they name are not read.
   */
  row(number: number, cells: readonly string[], damage: readonly RowFault[] = []): FileRow {
    const faults: RowFault[] = [...damage];
    const fields: { [name in WritableFieldName]?: string } = {};
    let id: number | undefined;
    for (const field of this.#fields) {
      const cell = cells[field.index];
      if (cell === undefined) break;
      if (damage.length > 0 && damage.some(({ column }) => column === field.heading)) continue;
      if ('isId' in field) {
        id = idOf(cell);
        if (id === undefined && !/^\s*0*\s*$/.test(cell)) {
          faults.push({ column: field.heading, field: 'mexcParamvaluesetsid', ...NOT_AN_ID });
        }
        continue;
      }
      const text = this.#rules.textOf ? this.#rules.textOf(cell) : cell;
      if (this.#check(field, text, faults)) fields[field.name] = text;
    }
    const extra = cells.findIndex((cell, index) => index >= this.#columns.length && cell !== '');
    if (extra !== -1) faults.push({ column: columnName(extra), ...TOO_MANY_CELLS });
    return { row: number, id, fields, faults, cells };
  }

  /** Returns whether the text is valid. */
  #check(
    { name, heading, maxLength, isNumberLike }: TextField,
    text: string,
    faults: RowFault[],
  ): boolean {
    const before = faults.length;
    const report = (code: string, detail: string, params?: RowFault['params']) =>
      faults.push({ column: heading, field: name, code, detail, ...(params && { params }) });
    if (text.length > maxLength || SPECIAL.test(text)) {
      for (const rule of brokenTextRules(text, maxLength)) {
        report(rule.code, rule.detail(text, maxLength), rule.params(text, maxLength));
      }
      if (this.#rules.singleBytes && C1_CONTROL.test(text)) {
        report('undefinedCharacter', 'must not contain bytes that mean nothing in Windows-1252');
      }
    }
    if (this.#rules.fromSpreadsheet) {
      if (isNumberLike && SCIENTIFIC.test(text)) {
        report(
          'scientificNumber',
          'must not be a number that a spreadsheet has shortened; format the column as text and enter it again',
        );
      } else if (text.charCodeAt(0) === HASH && ERROR_VALUE.test(text)) {
        report('spreadsheetError', 'must not be an error value of a spreadsheet');
      }
    }
    return faults.length === before;
  }
}

const HASH = '#'.charCodeAt(0);

interface TextField {
  readonly index: number;
  readonly heading: string;
  readonly name: WritableFieldName;
  readonly maxLength: number;
  readonly isNumberLike: boolean;
}
type ReadField =
  | TextField
  | { readonly index: number; readonly heading: string; readonly isId: true };

const NOT_AN_ID = {
  code: 'notAnId',
  detail: `must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`,
} as const;
const TOO_MANY_CELLS = {
  code: 'tooManyCells',
  detail: 'must not have a value after the last column; quote cells that contain the delimiter',
} as const;

/** Returns the id in a cell, if it is one. */
function idOf(cell: string): number | undefined {
  const id = /^\s*\d{1,16}\s*$/.test(cell) ? Number(cell) : 0;
  return id > 0 && Number.isSafeInteger(id) ? id : undefined;
}
