import { Readable } from 'node:stream';
import { FIELDS } from '../../../shared/domain/fields.ts';
import type { Item } from './customer.ts';
import { usualExport } from './export.ts';

export const handler = usualExport({
  contentType: 'application/jsonl',
  extension: 'jsonl',
  write: (customers) => Readable.from(lines(customers), { objectMode: false }),
});

async function* lines(customers: AsyncIterable<Item>) {
  for await (const customer of customers) yield `${JSON.stringify(fieldsOf(customer))}\n`;
}

function fieldsOf(item: Item): Item {
  const fields: Item = {};
  for (const { name, always, unset } of FIELDS) {
    if (always || item[name] !== undefined) fields[name] = item[name] ?? unset;
  }
  return fields;
}
