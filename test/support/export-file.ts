import type { Customer } from '../../shared/domain/customer.ts';
import type { FormatChoice } from '../../shared/domain/export.ts';
import { fileFormat } from '../../shared/formats/file-format.ts';
import { toCustomerJson } from '../../shared/formats/json.ts';
import { encoderOf, plainRow } from '../../shared/formats/row-format.ts';

/** Rows that are encoded at once, like those of a page. */
const ROWS_AT_ONCE = 1_000;

/** Streams the export file of customers, without a table. */
export async function* exportFile(
  choice: FormatChoice,
  customers: Iterable<Customer>,
): AsyncGenerator<Buffer, void, undefined> {
  const format = fileFormat(choice);
  const encoder = encoderOf(format);
  yield await encoder.start();
  let rows: string[] = [];
  for (const customer of customers) {
    const json = toCustomerJson(customer);
    rows.push(
      plainRow(
        format,
        format.columns.map(({ of }) => String(json[of] || '')),
      ),
    );
    if (rows.length < ROWS_AT_ONCE) continue;
    yield await encoder.rows(Buffer.from(rows.join('')));
    rows = [];
  }
  if (rows.length > 0) yield await encoder.rows(Buffer.from(rows.join('')));
  yield await encoder.end();
}
