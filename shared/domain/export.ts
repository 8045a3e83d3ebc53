import type { LogPosition } from './changes.ts';
import type { CustomerFilter } from './customer-filter.ts';
import type { HeadingLanguage } from './field-headings.ts';
import type { FieldName } from './fields.ts';

/** Name of an export format: the extension of its files. */
export type FormatName = 'csv' | 'xml' | 'xlsx' | 'jsonl';

/** Options of a file with columns. */
export interface ColumnOptions {
  /**
   * The fields, one a column, in this order.
   *
   * @default all fields
   */
  readonly columns?: readonly FieldName[] | undefined;
  /** @default 'api' */
  readonly headers?: HeadingLanguage | undefined;
}

/** Options of a CSV file. */
export interface CsvOptions extends ColumnOptions {
  readonly delimiter: 'comma' | 'semicolon';
  /** Whether the file starts with a byte order mark, by which Excel recognises UTF-8. */
  readonly bom: boolean;
  /**
   * Whether a cell that a spreadsheet could evaluate gets an apostrophe in front.
   *
   * @default 'escape'
   */
  readonly formulas?: 'escape' | 'keep';
}

/** An export format with its options; plain JSON, so that a background job can be given one. */
export type FormatChoice =
  | ({ readonly name: 'csv' } & CsvOptions)
  | ({ readonly name: 'xlsx' } & ColumnOptions)
  | { readonly name: 'xml' }
  | { readonly name: 'jsonl' };

/** Where an export's file is stored, and how it is delivered. */
export interface ExportFile {
  /** Its key in the bucket. */
  readonly key: string;
  readonly filename: string;
  readonly contentType: string;
}

/** `running` changes once, to one of the others. */
type ExportState = 'running' | 'ready' | 'failed' | 'canceled';

/** The state of a long export, which continues in the background. */
export interface ExportJob {
  readonly id: string;
  readonly state: ExportState;
  readonly format: FormatName;
  readonly file: ExportFile;
  /** Customers in the file so far. */
  readonly rowsDone: number;
  /** Estimate of how many customers there will be. */
  readonly rowsExpected: number;
  /** Where changes are followed from once the file is loaded. */
  readonly changesFrom: LogPosition;
  /** ISO 8601, as `updated`. */
  readonly started: string;
  /** Time of the last progress. */
  readonly updated: string;
  /** Size of the file, once the state is `ready`. */
  readonly bytes?: number;
  /** Why it failed, in words for the caller. */
  readonly reason?: string;
}

/** Input of the export worker. */
export interface ExportJobInput {
  readonly merchantId: string;
  /** The job's id. */
  readonly id: string;
  readonly format: FormatChoice;
  readonly file: ExportFile;
  readonly filter: CustomerFilter;
}

/** Returns the status of a long export as the API responds with it, without its file. */
export function exportProgress(job: ExportJob) {
  const { id, format, state, rowsDone, rowsExpected, started, updated, reason } = job;
  const progress = { exportId: id, format, state, rowsDone, rowsExpected, started, updated };
  return state === 'failed' ? { ...progress, reason } : progress;
}
