import type { ReadFaultCode } from '../../domain/fault-texts.ts';
import { brokenTextRules } from '../../domain/field-text.ts';
import { FIELDS, type FieldName, isWritable, type WritableFieldName } from '../../domain/fields.ts';
import type { FileRow, RowFault } from '../../domain/import.ts';
import { columnName } from '../xlsx.ts';
import { shownHeading } from './columns.ts';
import type { FileColumn } from './rows-of-file.ts';

/** What a file's format lets happen to its cells. */
export interface CellRules {
  /** Returns the text of a field that a cell stands for. Default: the cell. */
  readonly textOf?: ((cell: string) => string) | undefined;
  /** Whether a spreadsheet may have shortened long numbers: `7,3E+12`. */
  readonly shortenedNumbers?: boolean;
  /** Whether a spreadsheet saves its error values as texts: `#N/A`. */
  readonly errorsAsTexts?: boolean;
  /** Whether C1 controls are bytes that have no meaning in the file's encoding. */
  readonly singleBytes?: boolean;
  /** Whether the headings may come again, where files were put together. */
  readonly headingsAgain?: boolean;
}

/** What is wrong with a cell, or with a row. */
export type CellFault = Omit<RowFault, 'column' | 'field'> & { readonly code: ReadFaultCode };

const NO_DAMAGE: ReadonlyMap<number, CellFault> = new Map();

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
const SHORTENED = /^\s*[+-]?\d(?:[.,]\d+)?E\+\d+\s*$/i;
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
  /** Faults of rows with more cells than headings, by the index of the first of them with text. */
  readonly #tooManyCells = new Map<number, RowFault>();

  constructor(columns: readonly FileColumn[], rules: CellRules) {
    this.#columns = columns;
    this.#rules = rules;
    this.#fields = columns.flatMap(({ field: fieldName, heading }, index): readonly ReadField[] => {
      const field = FIELDS.find(({ name }) => name === fieldName);
      if (!field || (field.name !== 'mexcParamvaluesetsid' && !isWritable(field))) return [];
      const { name, maxLength } = field;
      const isNumberLike = NUMBER_LIKE.has(name);
      const faults = new Map<string, RowFault>();
      return [{ index, heading: shownHeading(heading), name, maxLength, isNumberLike, faults }];
    });
  }

  /**
   * Returns a row of cells by column; those that it lacks are absent, not empty.
   *
   * @param damage what is known to be wrong with cells, by column.
   * @param rowFaults what is wrong with the row as a whole.
   */
  row(
    number: number,
    cells: readonly (string | undefined)[],
    damage: ReadonlyMap<number, CellFault> = NO_DAMAGE,
    rowFaults: readonly CellFault[] = [],
  ): Omit<FileRow, 'cells'> {
    if (this.#rules.headingsAgain && this.#areHeadings(cells)) {
      return { row: number, fields: {}, faults: [HEADINGS_AGAIN] };
    }
    const faults: RowFault[] = [...rowFaults];
    const doubts: RowFault[] = [];
    const fields: { [name in WritableFieldName]?: string } = {};
    let id: number | undefined;
    const { textOf } = this.#rules;
    const isDamaged = damage.size > 0;
    for (const field of this.#fields) {
      const cell = cells[field.index];
      if (cell === undefined) continue;
      const known = isDamaged ? damage.get(field.index) : undefined;
      if (known) {
        faults.push(faultIn(field, known));
      } else if (field.name === 'mexcParamvaluesetsid') {
        id = idOf(cell);
        if (id === undefined && !NO_ID.test(cell.trim())) faults.push(faultIn(field, NOT_AN_ID));
      } else {
        const text = textOf && cell !== '' ? textOf(cell) : cell;
        const found = this.#faultsOf(text, field);
        if (found === NONE) {
          fields[field.name] = text;
          const doubt = this.#doubtOf(text, field);
          if (doubt) doubts.push(faultIn(field, doubt));
        } else faults.push(...found.map((fault) => faultIn(field, fault)));
      }
    }
    const extra = cells.findIndex((cell, index) => index >= this.#columns.length && cell?.trim());
    if (extra !== -1) {
      faults.push(
        remembered(this.#tooManyCells, extra, () => ({
          column: columnName(extra),
          ...TOO_MANY_CELLS,
        })),
      );
    }
    return { row: number, id, fields, faults, ...(doubts.length > 0 && { doubts }) };
  }

  #areHeadings(cells: readonly (string | undefined)[]): boolean {
    const [first = ''] = cells;
    // A file that was put behind another can have a byte order mark of its own.
    const cell = first.startsWith('\ufeff') ? first.slice(1) : first;
    return (
      cell === this.#columns[0]?.heading &&
      this.#columns.every(({ heading }, index) => index === 0 || (cells[index] ?? '') === heading)
    );
  }

  /** Returns what a spreadsheet may have left of another text. */
  #doubtOf(text: string, { isNumberLike }: ReadField): CellFault | undefined {
    const { shortenedNumbers, errorsAsTexts } = this.#rules;
    if (shortenedNumbers && isNumberLike && SHORTENED.test(text)) return SHORTENED_NUMBER;
    return errorsAsTexts && text.includes('#') && ERROR_VALUE.test(text)
      ? SPREADSHEET_ERROR
      : undefined;
  }

  /** Returns {@link NONE} if the text is valid. */
  #faultsOf(text: string, { maxLength }: ReadField): readonly CellFault[] {
    if (text === '') return NONE;
    const { singleBytes } = this.#rules;
    if (text.length <= maxLength && !SPECIAL.test(text)) return NONE;
    const broken = brokenTextRules(text, maxLength).map(
      ({ code, detail, params }): CellFault => ({
        code,
        detail: detail(text, maxLength),
        params: params(text, maxLength),
      }),
    );
    if (singleBytes && C1_CONTROL.test(text)) return [...broken, UNDEFINED_CHARACTER];
    return broken.length === 0 ? NONE : broken;
  }
}

interface ReadField {
  /** Of its column. */
  readonly index: number;
  readonly heading: string;
  readonly name: WritableFieldName | 'mexcParamvaluesetsid';
  readonly maxLength: number;
  readonly isNumberLike: boolean;
  /** Its faults so far, by code and detail. */
  readonly faults: Map<string, RowFault>;
}

function faultIn({ heading, name, faults }: ReadField, fault: CellFault): RowFault {
  const key = `${fault.code} ${fault.detail}`;
  return remembered(faults, key, () => ({ column: heading, field: name, ...fault }));
}

/** Returns the same object for the same fault: a file can have tens of millions. */
function remembered<Key>(faults: Map<Key, RowFault>, key: Key, make: () => RowFault): RowFault {
  const known = faults.get(key);
  if (known) return known;
  const fault = make();
  faults.set(key, fault);
  return fault;
}

const NONE: readonly CellFault[] = [];
/** An id of 0 is an unset one. */
const NO_ID = /^0*$/;

const NOT_AN_ID: CellFault = {
  code: 'notAnId',
  detail: `must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`,
};
const HEADINGS_AGAIN: CellFault = {
  code: 'headingsAgain',
  detail: 'must not be the headings again; remove the row',
};
const TOO_MANY_CELLS: CellFault = {
  code: 'tooManyCells',
  detail:
    'must not have a value after the last column; in CSV, quote cells that contain the delimiter',
};
const SHORTENED_NUMBER: CellFault = {
  code: 'shortenedNumber',
  detail:
    'must not be a number that a spreadsheet has shortened; format the column as text and enter it again',
};
const UNDEFINED_CHARACTER: CellFault = {
  code: 'undefinedCharacter',
  detail: 'must not contain a byte that means nothing in Windows-1252',
};

/** A cell that shows an error in place of a value. */
export const SPREADSHEET_ERROR: CellFault = {
  code: 'spreadsheetError',
  detail: 'must not be an error value of a spreadsheet',
};

/** Returns the id in a cell, if it is one. */
function idOf(cell: string): number | undefined {
  const id = /^\s*\d{1,16}\s*$/.test(cell) ? Number(cell) : 0;
  return id > 0 && Number.isSafeInteger(id) ? id : undefined;
}
