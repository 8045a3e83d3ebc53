import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { prefetched } from '../parallel.ts';
import type { RowWriter } from '../rows/row-writer.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { selectedIds } from './directory.ts';
import { type IdRange, readInOrder } from './id-ranges.ts';
import { customerSortKey, idOf, partitionKey } from './items.ts';
import { getRows, MAX_BATCH, queryRows } from './rows.ts';

/** Batches of {@link MAX_BATCH} customers under way at once, or waiting for their turn. */
const BATCHES_AHEAD = 4;
const EVERY_ID: IdRange = { from: 1, to: Number.MAX_SAFE_INTEGER };

/** Rows of some customers, in UTF-8. */
export interface RowPage {
  readonly text: Buffer;
  readonly count: number;
}

/**
 * Pages of the selected customers' rows, by ascending id. Each customer comes as it is when its
 * page is read; the whole is no snapshot.
 */
export function selectedRows(
  merchant: string,
  selection: Selection,
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return isEveryone(selection)
    ? allRows(merchant, write)
    : rowsOfIds(merchant, selectedIds(merchant, selection), write);
}

/** Pages of the rows of customers with these ids, in their order; absent ones are left out. */
export function chosenRows(
  merchant: string,
  ids: readonly number[],
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return rowsOfIds(merchant, [ids], write);
}

function allRows(merchant: string, write: RowWriter): AsyncGenerator<RowPage> {
  const readPage = async (range: IdRange) => {
    const { rows, next } = await queryRows(rangeOf(merchant, range), write);
    const value = { text: rows.text, count: rows.ids.length };
    return { value, size: rows.text.length, reached: next && idOf(next.sk?.S ?? '') };
  };
  return readInOrder(EVERY_ID, readPage, () => newestId(merchant));
}

/** The newest customer's id. Those that come later are not part of the export. */
async function newestId(merchant: string): Promise<number> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      ...rangeOf(merchant, EVERY_ID),
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return idOf(Items[0]?.sk?.S ?? '');
}

function rangeOf(merchant: string, { from, to }: IdRange) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: partitionKey(merchant) },
      ':from': { S: customerSortKey(from) },
      ':to': { S: customerSortKey(to) },
    },
  };
}

function rowsOfIds(
  merchant: string,
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return prefetched(inBatches(pages), BATCHES_AHEAD, (ids) => getRows(merchant, ids, write));
}

async function* inBatches(pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>) {
  for await (const ids of pages) {
    for (let from = 0; from < ids.length; from += MAX_BATCH) {
      yield ids.slice(from, from + MAX_BATCH);
    }
  }
}
