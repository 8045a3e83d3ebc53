import type { FormatName } from '../domain/export.ts';

/** How a customer is serialized as a row: of a CSV or XML file, or of a list in JSON. */
export interface RowFormat {
  readonly rowStart: string;
  readonly rowEnd: string;
  /** One for each field, in the order of `FIELDS`; undefined leaves the field out. */
  readonly columns: readonly (Column | undefined)[];
  /** Columns after those of the fields. */
  readonly recordColumns?: readonly RecordColumn[];
  /** Returns the form of a text between its column's `open` and `close`. */
  readonly cell: (text: string) => string;
  /**
   * Bytes that `cell` may change; a text in UTF-8 without any is copied. A byte too many costs time,
   * a byte too few makes a wrong file.
   */
  readonly special: {
    readonly anywhere: readonly number[];
    readonly atStart: readonly number[];
  };
  /** Whether texts keep the JSON escapes that DynamoDB sends. */
  readonly isJson?: boolean;
}

/** The text around a field's value, and in its place if it is not set. */
export interface Column {
  readonly open: string;
  readonly close: string;
  readonly unset: string;
}

/** A column of what the register records of a customer's writes. */
interface RecordColumn extends Column {
  /** The version, or the time of the last change (ISO 8601). */
  readonly of: 'version' | 'updated';
}

/** How an export file is written. */
export interface FileFormat extends RowFormat {
  /** Media type by which a caller asks for the file itself. */
  readonly mediaType: string;
  /** Full Content-Type of the file. */
  readonly contentType: string;
  /** Extension of the filename. */
  readonly extension: FormatName;
  /** Text before the first customer. */
  readonly head: string;
  /** Text after the last customer. */
  readonly tail: string;
}

/**
 * Returns a row of texts in the order of the columns, in the plainest way: the reference that the
 * item serializer must match.
 */
export function plainRow(format: RowFormat, texts: readonly string[]): string {
  const columns = [...format.columns, ...(format.recordColumns ?? [])];
  const cells = columns.map((column, index) => {
    if (!column) return '';
    const { open, close, unset } = column;
    const text = texts[index];
    return text ? `${open}${format.cell(text)}${close}` : unset;
  });
  return `${format.rowStart}${cells.join('')}${format.rowEnd}`;
}
