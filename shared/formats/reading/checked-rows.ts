import { UnreadableFileError } from '../../domain/errors.ts';
import { type FileRow, ROWS_PER_STEP } from '../../domain/import.ts';
import { MAX_IMPORT_CELL_LENGTH, MAX_IMPORT_ROWS } from '../../domain/limits.ts';
import type { FileWarning } from './rows-of-file.ts';

/** Text that was UTF-8, was read as Windows-1252 or Latin 1 and saved as UTF-8 again. */
const DOUBLE_ENCODED = /Ã[\u0080-\u00bf„…–€‰˜]/;

/**
 * Streams rows in batches of at most {@link ROWS_PER_STEP}.
 *
 * @param warnings to which what is odd about the rows is added.
 * @throws {UnreadableFileError} once there are too many.
 */
export async function* checkedRows(
  batches: AsyncIterable<readonly FileRow[]>,
  warnings: FileWarning[],
): AsyncGenerator<readonly FileRow[], void, undefined> {
  let count = 0;
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += ROWS_PER_STEP) {
      const rows = batch.slice(at, at + ROWS_PER_STEP);
      count += rows.length;
      if (count > MAX_IMPORT_ROWS) {
        const detail = `The file has more than ${MAX_IMPORT_ROWS} rows; divide it into several`;
        throw new UnreadableFileError('tooManyRows', detail);
      }
      if (warnings.length === 0) warnings.push(...doubleEncoded(rows));
      yield rows;
    }
  }
}

function doubleEncoded(rows: readonly FileRow[]): readonly FileWarning[] {
  const found = rows.find(({ cells }) => cells.some((cell) => DOUBLE_ENCODED.test(cell)));
  if (!found) return [];
  const detail = `Row ${found.row} has \`Ã\` and a sign where å, ä, ö or another letter is likely: the file may have been saved in the wrong encoding`;
  return [{ code: 'doubleEncoded', detail }];
}

/** @throws {UnreadableFileError} if a cell is longer than any field. */
export function checkCell(cell: string, where: () => string): void {
  if (cell.length <= MAX_IMPORT_CELL_LENGTH) return;
  const detail = `A cell has ${cell.length} characters; the maximum is ${MAX_IMPORT_CELL_LENGTH}`;
  throw new UnreadableFileError('cellTooLong', detail, where());
}
