import { UnreadableFileError } from '../../domain/errors.ts';
import { fieldOfHeading, isIgnoredHeading } from '../../domain/field-of-heading.ts';
import { MAX_IMPORT_COLUMNS } from '../../domain/limits.ts';
import { columnName } from '../xlsx.ts';
import type { FileColumn } from './rows-of-file.ts';

/**
 * Returns the columns of a row of headings; empty headings at its end are left out.
 *
 * @throws {UnreadableFileError} if there are too many, if none names a field, or if two name one.
 */
export function columnsOf(headings: readonly string[], where: string): readonly FileColumn[] {
  const last = headings.findLastIndex((heading) => heading.trim() !== '');
  const columns = headings
    .slice(0, last + 1)
    .map((heading): FileColumn => ({ heading, field: fieldOfHeading(heading) }));
  if (columns.length > MAX_IMPORT_COLUMNS) {
    const detail = `The file has ${columns.length} columns; the maximum is ${MAX_IMPORT_COLUMNS}`;
    throw new UnreadableFileError('tooManyColumns', detail, where);
  }
  if (columns.every(({ field }) => field === undefined)) {
    const found = columns.length === 0 ? 'The file is empty' : 'No heading names a field';
    const detail = `${found}. The first row must have headings, such as ${EXAMPLES}`;
    throw new UnreadableFileError('noHeader', detail, where);
  }
  for (const [index, { field, heading }] of columns.entries()) {
    const first = columns.findIndex((column) => field !== undefined && column.field === field);
    if (first === -1 || first === index) continue;
    throw duplicateColumn(columns[first]?.heading ?? '', heading, where);
  }
  return columns;
}

export function duplicateColumn(one: string, other: string, where: string): UnreadableFileError {
  const detail = `\`${shownHeading(one)}\` and \`${shownHeading(other)}\` name the same field; keep one of them`;
  return new UnreadableFileError('duplicateColumn', detail, where);
}

const EXAMPLES = '`customerid` and `name`, or `Kundnummer` and `Namn`';

/** Returns the headings of columns that are not read; one without heading goes by its letter. */
export function unknownColumnsOf(columns: readonly FileColumn[]): readonly string[] {
  return columns.flatMap(({ heading, field }, index) =>
    field !== undefined || isIgnoredHeading(heading) ? [] : [heading.trim() || columnName(index)],
  );
}

/** Maximum UTF-16 code units of a heading that is repeated. */
const MAX_HEADING_LENGTH = 100;

/**
 * Returns a heading as it is repeated: the faults of each row name it, and one filled up with spaces must not
 * make a small file a large plan.
 */
export function shownHeading(heading: string): string {
  return heading.trim().slice(0, MAX_HEADING_LENGTH).toWellFormed();
}
