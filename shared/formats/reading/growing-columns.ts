import { UnreadableFileError } from '../../domain/errors.ts';
import { fieldOfHeading } from '../../domain/field-of-heading.ts';
import type { FileRow } from '../../domain/import.ts';
import { MAX_IMPORT_COLUMNS } from '../../domain/limits.ts';
import { duplicateColumn, unknownColumnsOf } from './columns.ts';
import { type CellFault, RowReader } from './row-of-cells.ts';
import type { FileColumn } from './rows-of-file.ts';

/** Columns of a file whose rows name their cells, in the order in which names appear. */
export class GrowingColumns {
  readonly columns: FileColumn[] = [];
  readonly unknown: string[] = [];
  readonly #indexes = new Map<string, number>();
  #reader = new RowReader([], {});

  /** Returns the index of a name's column. */
  indexOf(name: string, where: () => string): number {
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    const index = this.columns.length;
    if (index === MAX_IMPORT_COLUMNS) {
      const detail = `The file has more than ${MAX_IMPORT_COLUMNS} different fields`;
      throw new UnreadableFileError('tooManyColumns', detail, where());
    }
    const column = { heading: name, field: fieldOfHeading(name) };
    const twin = this.columns.find(({ field }) => field !== undefined && field === column.field);
    if (twin) throw duplicateColumn(twin.heading, name, where());
    this.#indexes.set(name, index);
    this.columns.push(column);
    this.unknown.push(...unknownColumnsOf([column]));
    this.#reader = new RowReader(this.columns, {});
    return index;
  }

  /** Returns a row, see {@link RowReader}. */
  row(
    number: number,
    cells: readonly (string | undefined)[],
    damage?: ReadonlyMap<number, CellFault>,
    rowFaults?: readonly CellFault[],
  ): FileRow {
    const row = this.#reader.row(number, cells, damage, rowFaults);
    return { ...row, cells: Array.from(cells, (cell) => cell ?? '') };
  }
}
