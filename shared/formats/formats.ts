import type { Query } from '../http/query.ts';
import { csv } from './csv.ts';
import type { Format, FormatName } from './export-format.ts';
import { xml } from './xml.ts';

/** How the formats of exports are made of a query, by the ending of their files. */
const FORMATS = { csv, xml } satisfies Record<FormatName, (query: Query) => Format>;

/** The format that an accepted query asks for. */
export function formatOf(name: FormatName, query: Query): Format {
  return FORMATS[name](query);
}
