import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Customer } from '../../shared/domain/customer.ts';
import type { FormatChoice } from '../../shared/domain/export.ts';
import type { FieldName } from '../../shared/domain/fields.ts';
import type { ImportFormat } from '../../shared/domain/import.ts';
import { exportFile } from '../support/export-file.ts';
import { customerOf, FIELDS, type Shape } from './customers.ts';
import type { SentFile } from './importing.ts';

/** Rows of a file, each of a customer with a customerid of its own. */
export interface Rows {
  readonly format: ImportFormat;
  readonly shape: Shape;
  readonly count: number;
  /** Id of the first row, from which its texts follow. @default 1 */
  readonly firstId?: number;
  /** Whether each field differs from that of the customer in the register. */
  readonly isChanged?: boolean;
  /** Whether each field is a control character, which none can have. */
  readonly isWrong?: boolean;
}

/**
 * Writes a file as people have them. Sparse rows of CSV and XLSX have no other columns than theirs, and
 * changed ones no customerid: it must not be that of another customer, which is looked up.
 */
export async function writeFile(folder: string, rows: Rows): Promise<SentFile> {
  const { format, shape, count, firstId = 1, isChanged = false, isWrong = false } = rows;
  const path = join(folder, `${shape}-${count}-${isChanged}-${isWrong}.${format}`);
  await pipeline(exportFile(choiceOf(rows), customers()), createWriteStream(path));
  return { path, format };

  function* customers(): Generator<Customer> {
    for (let id = firstId; id < firstId + count; id += 1) {
      const customer = customerOf(shape, id);
      const fields = { ...customer.fields, customerid: `K${id}` };
      yield { ...customer, fields: isWrong ? wrong(fields) : isChanged ? changed(fields) : fields };
    }
  }
}

function choiceOf({ format, shape, isChanged }: Rows): FormatChoice {
  if (format !== 'csv' && format !== 'xlsx') return { name: format };
  const fields = FIELDS[shape].filter((name) => !(isChanged && name === 'customerid'));
  const columns = ['mexcParamvaluesetsid', ...fields] as FieldName[];
  const isPart = isChanged || shape === 'sparse';
  const options = { headers: 'sv', ...(isPart && { columns }) } as const;
  if (format === 'xlsx') return { name: format, ...options };
  return { name: format, delimiter: 'semicolon', bom: true, ...options };
}

function wrong(fields: Customer['fields']): Customer['fields'] {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, '\u0001']));
}

function changed(fields: Customer['fields']): Customer['fields'] {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, `${value}.`]));
}
