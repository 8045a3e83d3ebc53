import { Readable } from 'node:stream';
import { FIELDS } from '../../../shared/domain/fields.ts';
import type { Item } from './customer.ts';
import { usualExport } from './export.ts';

/**
 * Creates a handler that exports as XML, one customer at a time.
 *
 * @param toXml returns the element of a customer, given its fields in order.
 */
export function usualXmlExport(toXml: (customer: Item) => string) {
  async function* chunks(customers: AsyncIterable<Item>) {
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<customers>\n';
    for await (const customer of customers) yield `${toXml(fieldsOf(customer))}\n`;
    yield '</customers>\n';
  }
  return usualExport({
    contentType: 'application/xml; charset=utf-8',
    extension: 'xml',
    write: (customers) => Readable.from(chunks(customers), { objectMode: false }),
  });
}

function fieldsOf(item: Item): Item {
  const fields: Item = {};
  for (const { name, always, unset } of FIELDS) {
    if (always || item[name] !== undefined) fields[name] = item[name] ?? unset;
  }
  return fields;
}
