import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, type ImportRecord, importRecordKey } from './table.ts';
import { writeConditionally } from './write-conditionally.ts';
import type { TransactionItem } from './write-together.ts';

/** Far longer than an import is applied or undone, also if that is interrupted for days. */
const LIFETIME_S = 30 * 24 * 60 * 60;

/** Rows of an import that were decided together. */
export interface DecidedRows {
  /** Ids of the customers that were created, by row. */
  readonly created: Readonly<Record<number, number>>;
  /** Ids of customers that had the key of a row already, by row. */
  readonly existing: Readonly<Record<number, number>>;
}

/**
 * Records that a step begins.
 *
 * @param firstRow the step's first row.
 * @returns whether it begins for the first time; false also if that is not known.
 */
export async function beginStep(
  merchantId: string,
  importId: string,
  step: 'APPLY' | 'UNDO',
  firstRow: number,
): Promise<boolean> {
  const record = recordPut(merchantId, importId, step, firstRow);
  return (await writeConditionally(new PutCommand(record))) === 'done';
}

/**
 * Returns the write that records what becomes of rows whose customers are created. Its condition fails
 * if that is recorded.
 */
export function decidedRowsPut(
  merchantId: string,
  importId: string,
  firstRow: number,
  rows: DecidedRows,
): TransactionItem {
  return { Put: recordPut(merchantId, importId, 'CREATE', firstRow, rows) };
}

/** Returns what was recorded of rows, from a first row on; undefined if nothing was. */
export async function findDecidedRows(
  merchantId: string,
  importId: string,
  firstRow: number,
): Promise<DecidedRows | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: importRecordKey(merchantId, importId, 'CREATE', firstRow),
      ConsistentRead: true,
    }),
  );
  return Item as DecidedRows | undefined;
}

function recordPut(
  merchantId: string,
  importId: string,
  record: ImportRecord,
  firstRow: number,
  content: object = {},
) {
  return {
    TableName: TABLE_NAME,
    Item: {
      ...importRecordKey(merchantId, importId, record, firstRow),
      ...content,
      ...expiringIn(LIFETIME_S),
    },
    ConditionExpression: 'attribute_not_exists(pk)',
  };
}
