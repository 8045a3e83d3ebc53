import type { FormatChoice } from '../domain/export.ts';
import { csv } from './csv.ts';
import { JSON_LINES } from './jsonl.ts';
import type { FileFormat } from './row-format.ts';
import { xlsx } from './xlsx.ts';
import { xml } from './xml.ts';

/** Returns the file format of a choice. */
export function fileFormat(choice: FormatChoice): FileFormat {
  switch (choice.name) {
    case 'csv':
      return csv(choice);
    case 'xlsx':
      return xlsx(choice);
    case 'xml':
      return xml();
    case 'jsonl':
      return JSON_LINES;
  }
}
