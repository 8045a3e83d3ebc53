import { setTimeout } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { isThrottling } from '../aws-errors.ts';
import { prefetched } from '../concurrency.ts';
import { isEveryone, type Selection } from '../domain/customer-filter.ts';
import { selectedIds } from './customer-index.ts';
import { customersIn, idOf } from './customer-item.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { type IdRange, LAST_ID, readInOrder } from './parallel-query.ts';
import { getRows, inBatches, queryRows } from './serialized-items/index.ts';
import type { RowWriter } from './serialized-items/item-serializer.ts';

/** Batches of customers under way at once, or waiting for their turn. */
const BATCHES_AHEAD = 4;
/** How long a throttled table is read again, with a wait between two tries. */
const PATIENCE_MS = 12_000;
const MAX_WAIT_MS = 1_000;
const EVERY_ID: IdRange = { from: 1, to: LAST_ID };

/** Rows of some customers, in UTF-8. */
export interface RowPage {
  readonly text: Buffer;
  readonly count: number;
  /** Id of the last one; undefined where there is none on the page. */
  readonly lastId: number | undefined;
  /** Whether it is known that these are all. */
  readonly isWhole: boolean;
}

/**
 * Pages of the selected customers' rows, by ascending id. Each customer comes as it is when its
 * page is read; the whole is no snapshot.
 *
 * @param after id behind which to begin.
 */
export function selectedRows(
  merchant: string,
  selection: Selection,
  write: RowWriter,
  after = 0,
): AsyncGenerator<RowPage> {
  return isEveryone(selection)
    ? allRows(merchant, write, after)
    : rowsOfIds(merchant, selectedIds(merchant, selection, { after }), write);
}

/** Pages of the rows of customers with these ids, in their order; absent ones are left out. */
export function chosenRows(
  merchant: string,
  ids: readonly number[],
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return rowsOfIds(merchant, [ids], write);
}

function allRows(merchant: string, write: RowWriter, after: number): AsyncGenerator<RowPage> {
  const readPage = async (range: IdRange) => {
    const { rows, next } = await patiently(() => queryRows(customersIn(merchant, range), write));
    const value = {
      text: rows.text,
      count: rows.ids.length,
      lastId: rows.ids.at(-1),
      isWhole: !next && range.to === LAST_ID,
    };
    return { value, size: rows.text.length, reached: next && idOf(next.sk?.S ?? '') };
  };
  const stretch = { ...EVERY_ID, from: after + 1 };
  return readInOrder(stretch, readPage, () => newestId(merchant));
}

/**
 * Reads again where the table is throttled: an export reads more than anything else, and is to be
 * slower then, not to fail. The SDK has tried up to four times by then, or only once where it has
 * seen so many failures that it has no retries left.
 */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isThrottling(error) || performance.now() - started > PATIENCE_MS) throw error;
      await setTimeout(MAX_WAIT_MS * Math.random());
    }
  }
}

/** The highest id in use; 0 where there is no customer. */
export async function newestId(merchant: string): Promise<number> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      ...customersIn(merchant, EVERY_ID),
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const key = Items[0]?.sk?.S;
  return key === undefined ? 0 : idOf(key);
}

function rowsOfIds(
  merchant: string,
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return prefetched(inBatches(pages), BATCHES_AHEAD, async (ids) => ({
    ...(await patiently(() => getRows(merchant, ids, write))),
    lastId: ids.at(-1),
    isWhole: false,
  }));
}
