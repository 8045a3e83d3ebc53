import type { CustomerFields } from './customer.ts';
import type { FieldName, WritableFieldName } from './fields.ts';

/** Formats that an import reads. */
export const IMPORT_FORMATS = ['csv', 'xml', 'xlsx', 'jsonl'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** Fields by which a row can name a customer. */
export const MATCH_FIELDS = ['mexcParamvaluesetsid', 'customerid', 'companyno'] as const;
export type MatchField = (typeof MATCH_FIELDS)[number];

/** How a file is read. */
export interface ReadOptions {
  readonly format: ImportFormat;
  /** Of CSV. @default 'auto' */
  readonly encoding?: 'auto' | 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  /** Of CSV. @default 'auto' */
  readonly delimiter?: 'auto' | 'comma' | 'semicolon' | 'tab';
  /** Name of the sheet of an XLSX file. @default the first sheet with rows */
  readonly sheet?: string;
  /**
   * Whether the apostrophe that an export puts before a formula is taken off again; of CSV. With `keep` the
   * file is one of programs, and cells are not looked at for what spreadsheets do to them.
   *
   * @default 'guarded'
   */
  readonly formulas?: 'guarded' | 'keep';
}

/** What becomes of a file's rows. */
export interface ImportOptions extends ReadOptions {
  /** Fields that name a customer; the first of them that a row fills decides. */
  readonly match: readonly MatchField[];
  /** @default 'upsert' */
  readonly mode: 'upsert' | 'create' | 'update';
  /** Whether an empty cell keeps the customer's field or clears it; absent columns keep. */
  readonly empty: 'keep' | 'clear';
  /** What a row is that fills none of the match fields. */
  readonly unkeyed: 'invalid' | 'create';
}

/** Values that a text about a row names, for translations. */
export type FaultParams = Readonly<Record<string, string | number>>;

/** Something wrong in a row. */
export interface RowFault {
  /** The column's heading, as in the file. */
  readonly column?: string | undefined;
  readonly field?: FieldName | undefined;
  /** For programs and translations, such as `tooLong`. */
  readonly code: string;
  /** In English; without the cell's text, so that cells share a fault and a plan has it once. */
  readonly detail: string;
  /** Values that the detail names, for translations. */
  readonly params?: FaultParams | undefined;
}

/** A row of a file, as it is read. */
export interface FileRow {
  /** Line of the file, row of the sheet, or number of the customer in an XML file; from 1. */
  readonly row: number;
  /** The row's id, of a column `mexcParamvaluesetsid`. */
  readonly id?: number | undefined;
  /** Fields that the file has a column or element for, valid; an empty text is an empty cell. */
  readonly fields: CustomerFields;
  /** What is wrong with the row; it is invalid if there is anything. */
  readonly faults: readonly RowFault[];
  /**
   * Fields whose texts a spreadsheet leaves of others, such as `7,3E+12`. They are wrong, unless the customer
   * of the row has these very texts.
   */
  readonly doubts?: readonly RowFault[] | undefined;
  /** The cells as sent, in the order of the header's columns, for the file of rejected rows. */
  readonly cells: readonly string[];
}

/** Outcomes of a plan's rows. */
export const OUTCOMES = [
  'create',
  'update',
  'unchanged',
  'ambiguous',
  'invalid',
  'skipped',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A value before and after; an empty text is an unset field. */
export type FieldChange = readonly [before: string, after: string];
export type FieldChanges = Readonly<Partial<Record<WritableFieldName, FieldChange>>>;

/** What a plan says of one row. */
export type PlannedRow = { readonly row: number } & (
  | {
      readonly outcome: 'create';
      readonly fields: CustomerFields;
      /** The field and value by which no customer was found; none of a row without a key. */
      readonly key?: { readonly field: 'customerid' | 'companyno'; readonly value: string };
    }
  | {
      readonly outcome: 'update';
      readonly id: number;
      /** Version of the customer that the plan saw. */
      readonly version: number;
      readonly changes: FieldChanges;
    }
  | { readonly outcome: 'unchanged'; readonly id: number }
  | {
      readonly outcome: 'ambiguous';
      readonly code: string;
      readonly detail: string;
      /** As of a {@link RowFault}. */
      readonly params?: FaultParams | undefined;
      readonly candidates: readonly number[];
    }
  | { readonly outcome: 'invalid'; readonly errors: readonly RowFault[] }
  | {
      readonly outcome: 'skipped';
      readonly code: string;
      readonly detail: string;
      readonly params?: FaultParams | undefined;
    }
);

/** Results of applying a plan's rows. */
export const RESULTS = [
  'created',
  'updated',
  'unchanged',
  'changedMeanwhile',
  'unclear',
  'leftOut',
] as const;
export type Result = (typeof RESULTS)[number];

/**
 * What applying did with one row; undoing reads it. `changedMeanwhile` means that the import has not
 * written the customer; of `unclear` that is not known, and another has written it since or deleted it.
 */
export type AppliedRow = { readonly row: number } & (
  | {
      readonly result: 'created';
      readonly id: number;
      /** The customerid that the import has claimed for the customer. */
      readonly customerid?: string;
    }
  | {
      readonly result: 'updated';
      readonly id: number;
      /** Version that the import wrote. */
      readonly version: number;
      /** The changed fields as they were before; an empty text is an unset field. */
      readonly before: CustomerFields;
    }
  | { readonly result: 'changedMeanwhile' | 'unclear'; readonly id?: number | undefined }
  | { readonly result: 'unchanged' | 'leftOut' }
);

/**
 * Results of undoing an import's rows. A created customer that exists no longer is `removed`, whoever
 * deleted it. `changedMeanwhile` and `unclear` are as in {@link AppliedRow}.
 */
export const UNDO_RESULTS = ['removed', 'restored', 'changedMeanwhile', 'unclear'] as const;
export type UndoResult = (typeof UNDO_RESULTS)[number];
export interface UndoneRow {
  readonly row: number;
  readonly result: UndoResult;
}

/** Maximum rows of one step of applying or undoing, and of one of the plan's files. */
export const ROWS_PER_STEP = 1_000;
