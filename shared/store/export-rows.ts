import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { prefetched } from '../parallel.ts';
import type { RowWriter } from '../rows/row-writer.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { selectedEntries } from './directory.ts';
import { customerSortKey, idOf, partitionKey } from './items.ts';
import { getRows, MAX_BATCH, queryRows } from './rows.ts';

/** Reads under way at once, or done and waiting for their turn: each holds up to 1 MB of rows. */
const READS_AHEAD = 4;
/** Ranges begin somewhat smaller than a page, since one that needs a second page waits for it. */
const RANGE_OF_PAGE = 0.9;

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
    : rowsOfIds(merchant, idsOf(merchant, selection), write);
}

/** Pages of the rows of customers with these ids, in their order; absent ones are left out. */
export function chosenRows(
  merchant: string,
  ids: readonly number[],
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return rowsOfIds(merchant, [ids], write);
}

/**
 * The first page tells about how many ids fill one, and the rest is read in ranges of so many
 * ids, several at once: DynamoDB gives one page after the other only within a range.
 */
async function* allRows(merchant: string, write: RowWriter): AsyncGenerator<RowPage> {
  const first = await queryRows(rangeOf(merchant, 1, Number.MAX_SAFE_INTEGER), write);
  const { text, ids } = first.rows;
  yield { text, count: ids.length };
  if (!first.next) return;
  const last = await lastId(merchant);
  const start = ids.at(-1) as number;
  let span = Math.ceil((start + 1 - (ids[0] as number)) * RANGE_OF_PAGE);

  function* ranges() {
    for (let from = start + 1; from <= last; ) {
      const to = Math.min(last, from + span - 1);
      yield { from, to };
      from = to + 1;
    }
  }
  async function read({ from, to }: { from: number; to: number }): Promise<RowPage> {
    const range = await readRange(merchant, from, to, write);
    // Where many were deleted, or rows are of other lengths than before, other ranges fill a page.
    if (range.pages > 1) span = Math.ceil(span * RANGE_OF_PAGE);
    else if (range.text.length < text.length / 2) span *= 2;
    return range;
  }
  yield* prefetched(ranges(), READS_AHEAD, read);
}

/** The newest customer's id. Those that come later are not part of the export. */
async function lastId(merchant: string): Promise<number> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      ...rangeOf(merchant, 1, Number.MAX_SAFE_INTEGER),
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return idOf(Items[0]?.sk?.S ?? '');
}

async function readRange(merchant: string, from: number, to: number, write: RowWriter) {
  const texts: Buffer[] = [];
  let count = 0;
  let after: Awaited<ReturnType<typeof queryRows>>['next'];
  do {
    const query = rangeOf(merchant, from, to);
    const { rows, next } = await queryRows({ ...query, ExclusiveStartKey: after }, write);
    texts.push(rows.text);
    count += rows.ids.length;
    after = next;
  } while (after);
  const [only] = texts;
  const text = only && texts.length === 1 ? only : Buffer.concat(texts);
  return { text, count, pages: texts.length };
}

function rangeOf(merchant: string, from: number, to: number) {
  return {
    KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
    ExpressionAttributeValues: {
      ':pk': { S: partitionKey(merchant) },
      ':from': { S: customerSortKey(from) },
      ':to': { S: customerSortKey(to) },
    },
  };
}

async function* idsOf(merchant: string, selection: Selection): AsyncGenerator<readonly number[]> {
  for await (const entries of selectedEntries(merchant, selection)) {
    yield entries.map(({ id }) => id);
  }
}

function rowsOfIds(
  merchant: string,
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  write: RowWriter,
): AsyncGenerator<RowPage> {
  return prefetched(inBatches(pages), READS_AHEAD, (ids) => getRows(merchant, ids, write));
}

async function* inBatches(pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>) {
  for await (const ids of pages) {
    for (let from = 0; from < ids.length; from += MAX_BATCH) {
      yield ids.slice(from, from + MAX_BATCH);
    }
  }
}
