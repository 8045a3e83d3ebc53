import type { RowFormat } from './row-format.ts';

/** Name of a format: the ending of its files. */
export type FormatName = 'csv' | 'xml';

/** How an export file is written. */
export interface Format extends RowFormat {
  /** Media type by which a caller asks for the file itself. */
  readonly mediaType: string;
  /** Full Content-Type of the file. */
  readonly contentType: string;
  /** Ending of the file's name. */
  readonly extension: FormatName;
  /** What stands before the first customer. */
  readonly head: string;
  /** What stands after the last customer. */
  readonly tail: string;
}
