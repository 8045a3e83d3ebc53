import { setTimeout } from 'node:timers/promises';
import { isThrottling } from '../aws-errors.ts';
import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import type { RowFormat } from '../formats/row-format.ts';
import { matchingIds, newestId } from './customer-index.ts';
import { queryInParallel } from './parallel-query.ts';
import { type ReadOptions, rowsByIds } from './rows-by-ids.ts';
import { queryRows, type ReadRows } from './serialized-items/index.ts';
import { customersIn, type IdRange, idInSortKey, LAST_ID } from './table.ts';

/** How long reads of a throttled table are retried, and the longest wait between two attempts. */
const THROTTLING_PATIENCE_MS = 12_000;
const MAX_BACKOFF_MS = 1_000;

/** A page of serialized customers, in UTF-8. */
export interface ExportPage {
  readonly text: Buffer;
  readonly count: number;
  /** Id of the last customer read; undefined if the page has none. */
  readonly lastId: number | undefined;
  /** Read units of the page. */
  readonly units: number;
  /** Whether this page is known to be the only one. */
  readonly isOnly: boolean;
}

/**
 * Yields the rows of customers that meet the filter, by ascending id. Each customer is exported as
 * it is when its page is read; the whole is not a snapshot.
 *
 * @param after id after which to start.
 */
export function exportPages(
  merchantId: string,
  filter: CustomerFilter,
  format: RowFormat,
  after = 0,
): AsyncGenerator<ExportPage> {
  if (!isEveryone(filter)) {
    const ids = matchingIds(merchantId, filter, { after });
    return pagesOfIds(ids, { merchantId, format, isConsistent: false });
  }
  const readPage = async (range: IdRange) => {
    const query = customersIn(merchantId, range);
    const read = await retryWhileThrottled(() => queryRows(query, format));
    const { rows, next } = read;
    const value = toPage(read, !next && range.to === LAST_ID);
    const lastEvaluatedId = next && idInSortKey(next.sk?.S);
    return { value, size: rows.text.length, lastEvaluatedId };
  };
  const range = { from: after + 1, to: LAST_ID };
  return queryInParallel(range, readPage, () => newestId(merchantId));
}

/**
 * Yields the rows of customers with these ids, in their order, read consistently; absent customers
 * are skipped.
 */
export function exportPagesByIds(
  merchantId: string,
  ids: readonly number[],
  format: RowFormat,
): AsyncGenerator<ExportPage> {
  return pagesOfIds([ids], { merchantId, format, isConsistent: true });
}

async function* pagesOfIds(
  ids: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  options: ReadOptions,
): AsyncGenerator<ExportPage> {
  for await (const read of rowsByIds(ids, options, retryWhileThrottled)) yield toPage(read, false);
}

function toPage({ rows: { text, ids }, units }: ReadRows, isOnly: boolean): ExportPage {
  return { text, count: ids.length, lastId: ids.at(-1), units, isOnly };
}

/**
 * Retries while the table is throttled: an export reads more than any other call, and is to become
 * slower then, not to fail. The SDK has made up to four attempts by then, or only one if it has
 * used up its retry tokens.
 */
async function retryWhileThrottled<T>(read: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!isThrottling(error) || performance.now() - started > THROTTLING_PATIENCE_MS) throw error;
      await setTimeout(MAX_BACKOFF_MS * Math.random());
    }
  }
}
