import type { FieldName } from '../../domain/fields.ts';
import type { FileRow } from '../../domain/import.ts';

/** A column of a file, or an element of the customers in it. */
export interface FileColumn {
  /** As in the file. */
  readonly heading: string;
  /** Undefined if the heading names no field. */
  readonly field?: FieldName | undefined;
}

/** Something odd about a file whose rows can be read. */
export interface FileWarning {
  /** For programs and translations. */
  readonly code: 'doubleEncoded';
  /** In English. */
  readonly detail: string;
}

/** The rows of a file, and what is known of it; that is complete once all rows are read. */
export interface RowsOfFile {
  /** In the order of the file, and of the cells of its rows. */
  readonly columns: readonly FileColumn[];
  /** Of CSV: label of the encoding (https://encoding.spec.whatwg.org). */
  readonly encoding?: string;
  /** Of CSV: the character between cells. */
  readonly delimiter?: string;
  /** Headings that name no field; their cells are not read. */
  readonly unknownColumns: readonly string[];
  /** Names of the sheets of an XLSX file that are not read. */
  readonly sheetsNotRead: readonly string[];
  readonly warnings: readonly FileWarning[];
  /**
   * Rows in batches of at most 1,000, in order; can be read once. Rows of nothing but white space
   * are left out.
   *
   * @throws {UnreadableFileError} at a part that cannot be read.
   */
  readonly rows: AsyncIterable<readonly FileRow[]>;
}
