import { FIELDS } from '../customer/fields.ts';
import type { RawItem } from '../store/batch.ts';

/** Name of a format: the ending of its files. */
export type FormatName = 'csv' | 'xml';

/** How an export file is written. */
export interface Format {
  /** Media type by which a caller asks for the file itself. */
  readonly mediaType: string;
  /** Full Content-Type of the file. */
  readonly contentType: string;
  /** Ending of the file's name. */
  readonly extension: FormatName;
  /** What stands before the first customer. */
  readonly head: string;
  /** One customer. */
  readonly row: (item: RawItem) => string;
  /** What stands after the last customer. */
  readonly tail: string;
}

/** The text of a stored attribute; nothing where it is not set. */
export function textOf(item: RawItem, name: string): string {
  const value = item[name];
  return value?.S ?? value?.N ?? '';
}

export const FIELD_NAMES: readonly string[] = FIELDS.map(({ name }) => name);
