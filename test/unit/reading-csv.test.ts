import { describe, expect, test } from 'vitest';
import type { ReadOptions } from '../../shared/domain/import.ts';
import { sourceOfBytes } from '../../shared/formats/reading/file-source.ts';
import { readRows } from '../../shared/formats/reading/read-rows.ts';

const read = async (bytes: Buffer, options: Partial<ReadOptions> = {}) => {
  const file = await readRows(sourceOfBytes(bytes), { format: 'csv', ...options });
  const rows = [];
  for await (const batch of file.rows) rows.push(...batch);
  return { ...file, rows };
};

describe('A CSV file', () => {
  test('as Excel saves it in Swedish is read, in Windows-1252 with semicolons', async () => {
    const text = 'Kundnr;Namn;Säljare;Postort\r\n00042;"Å ""b""\r\nrad 2";Eva;Umeå\r\n\r\n7;;;\r\n';
    const file = await read(Buffer.from(text, 'latin1'));
    expect(file.columns.map(({ field }) => field)).toEqual([
      'customerid',
      'name',
      undefined,
      'postoffice',
    ]);
    expect(file).toMatchObject({
      encoding: 'windows-1252',
      delimiter: ';',
      unknownColumns: ['Säljare'],
    });
    expect(file.rows).toMatchObject([
      { row: 2, fields: { customerid: '00042', name: 'Å "b"\r\nrad 2', postoffice: 'Umeå' } },
      { row: 5, fields: { customerid: '7', name: '', postoffice: '' } },
    ]);
  });
});
