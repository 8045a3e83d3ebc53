import type { FormatChoice } from '../domain/export.ts';
import { csv } from './csv.ts';
import type { FileFormat } from './row-format.ts';
import { xml } from './xml.ts';

/** Returns the file format of a choice. */
export function fileFormat(choice: FormatChoice): FileFormat {
  return choice.name === 'csv' ? csv(choice) : xml();
}
