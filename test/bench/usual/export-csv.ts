import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import { FIELD_NAMES, usualExport } from './export.ts';

export const handler = usualExport({
  contentType: 'text/csv; charset=utf-8; header=present',
  extension: 'csv',
  write: (customers) => {
    const rows = stringify({
      header: true,
      columns: FIELD_NAMES,
      record_delimiter: '\r\n',
      // As ours: also quote a lone line feed, and delimiters at which other programs split.
      quoted_match: /[\r\n,;\t]/,
      escape_formulas: true,
    });
    return Readable.from(customers)
      .on('error', (error) => rows.destroy(error))
      .pipe(rows);
  },
});
