/** How a customer is written as a row: of a CSV or XML file, or of a list in JSON. */
export interface RowFormat {
  readonly rowStart: string;
  readonly rowEnd: string;
  /** By field, in the order of the table of fields. */
  readonly columns: readonly Column[];
  /** The form of a text between its column's `open` and `close`. */
  readonly cell: (text: string) => string;
  /**
   * Which bytes `cell` may change. A text in UTF-8 that has none of them is written as it is; one
   * too many here costs time, one too few is a wrong file.
   */
  readonly special: {
    readonly anywhere: readonly number[];
    readonly atStart: readonly number[];
  };
  /** Whether texts are written with JSON's escapes, as DynamoDB sends them. */
  readonly isJson?: boolean;
}

/** What stands around a field's text, and in its place where it is not set. */
interface Column {
  readonly open: string;
  readonly close: string;
  readonly unset: string;
}

/**
 * A row in the plainest way, from texts by the order of the columns: what the fast way in
 * `row-writer.ts` has to come to.
 */
export function plainRow(format: RowFormat, texts: readonly string[]): string {
  const cells = format.columns.map(({ open, close, unset }, index) => {
    const text = texts[index];
    return text ? `${open}${format.cell(text)}${close}` : unset;
  });
  return `${format.rowStart}${cells.join('')}${format.rowEnd}`;
}
