import type { FormatName } from '../domain/export.ts';
import type { FieldName } from '../domain/fields.ts';

/** How a customer is serialized as a row: of an export file, or of a list in JSON. */
export interface RowFormat {
  readonly rowStart: string;
  readonly rowEnd: string;
  readonly columns: readonly Column[];
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

/** The text around a value, and in its place if it is not set. */
export interface Column {
  /** The field; or what the register records of writes: the version, the time of the last one. */
  readonly of: FieldName | 'version' | 'updated';
  readonly open: string;
  readonly close: string;
  readonly unset: string;
  /** As the format's `cell`, in its place; applied to each value of the column. */
  readonly cell?: (text: string) => string;
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
  /**
   * Returns the encoder of a file whose bytes are not its text.
   *
   * @param state of the encoder to continue after.
   */
  readonly encoder?: (state?: EncoderState) => FileEncoder;
}

/** Turns the rows of an export into the bytes of its file. */
export interface FileEncoder {
  /** Returns what precedes the first row. */
  start(): Promise<Buffer>;
  /** Returns rows that follow those before. The text is not read after that. */
  rows(text: Buffer): Promise<Buffer>;
  /** Returns what follows the last row. */
  end(): Promise<Buffer>;
  /** Where the file is after the last call; undefined if what follows does not depend on it. */
  readonly state: EncoderState | undefined;
}

/** State of an encoder as plain JSON, so that it can be checkpointed. */
export type EncoderState = Readonly<Record<string, unknown>>;

/** Returns the encoder of a format's files. */
export function encoderOf(format: FileFormat, state?: EncoderState): FileEncoder {
  return (
    format.encoder?.(state) ?? {
      start: async () => Buffer.from(format.head),
      rows: async (text) => text,
      end: async () => Buffer.from(format.tail),
      state: undefined,
    }
  );
}

/**
 * Returns a row of texts in the order of the columns, in the plainest way: the reference that the
 * item serializer must match.
 */
export function plainRow(format: RowFormat, texts: readonly string[]): string {
  const cells = format.columns.map(({ open, close, unset, cell = format.cell }, index) => {
    const text = texts[index];
    return text ? `${open}${cell(text)}${close}` : unset;
  });
  return `${format.rowStart}${cells.join('')}${format.rowEnd}`;
}
