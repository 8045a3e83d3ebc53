import { PassThrough } from 'node:stream';
import exceljs from 'exceljs';
import { FIELDS } from '../../../shared/domain/fields.ts';
import type { Item } from './customer.ts';
import { FIELD_NAMES, usualExport } from './export.ts';

export const handler = usualExport({
  contentType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  extension: 'xlsx',
  write: (customers) => {
    const stream = new PassThrough();
    writeRows(customers, stream).catch((error) => stream.destroy(error));
    return stream;
  },
});

async function writeRows(customers: AsyncIterable<Item>, stream: PassThrough): Promise<void> {
  // As ours: texts in their cells, for which no table of all texts is kept in memory.
  const workbook = new exceljs.stream.xlsx.WorkbookWriter({ stream, useStyles: true });
  const sheet = workbook.addWorksheet('Customers', {
    views: [{ state: 'frozen', ySplit: 1 }],
  });
  sheet.columns = FIELDS.map(({ name, type }) => ({
    header: name,
    key: name,
    width: 16,
    style: { numFmt: type === 'date' ? 'yyyy-mm-dd hh:mm:ss' : '@' },
  }));
  for await (const customer of customers) {
    const cells = FIELD_NAMES.map((name) =>
      name === 'date' ? new Date(String(customer[name])) : customer[name],
    );
    sheet.addRow(cells).commit();
  }
  sheet.commit();
  await workbook.commit();
}
