import { setTimeout } from 'node:timers/promises';
import { isThrottling } from '../aws-errors.ts';
import { mapAhead } from '../concurrency.ts';
import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import type { RowFormat } from '../formats/row-format.ts';
import { inBatches } from './batch-get.ts';
import { matchingIds, newestId } from './customer-index.ts';
import { queryInParallel } from './parallel-query.ts';
import { getRows, queryRows } from './serialized-items/index.ts';
import { customersIn, type IdRange, idInSortKey, LAST_ID } from './table.ts';

/** Batches of customers that are read concurrently, or wait to be consumed. */
const CONCURRENT_BATCHES = 4;
/** How long reads of a throttled table are retried, and the longest wait between two attempts. */
const THROTTLING_PATIENCE_MS = 12_000;
const MAX_BACKOFF_MS = 1_000;

/** A page of serialized customers, in UTF-8. */
export interface ExportPage {
  readonly text: Buffer;
  readonly count: number;
  /** Id of the last customer read; undefined if the page has none. */
  readonly lastId: number | undefined;
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
    return pagesOfIds(merchantId, matchingIds(merchantId, filter, { after }), format);
  }
  const readPage = async (range: IdRange) => {
    const query = customersIn(merchantId, range);
    const { rows, next } = await retryWhileThrottled(() => queryRows(query, format));
    const value = {
      text: rows.text,
      count: rows.ids.length,
      lastId: rows.ids.at(-1),
      isOnly: !next && range.to === LAST_ID,
    };
    const lastEvaluatedId = next && idInSortKey(next.sk?.S);
    return { value, size: rows.text.length, lastEvaluatedId };
  };
  const range = { from: after + 1, to: LAST_ID };
  return queryInParallel(range, readPage, () => newestId(merchantId));
}

/** Yields the rows of customers with these ids, in their order; absent customers are skipped. */
export function exportPagesByIds(
  merchantId: string,
  ids: readonly number[],
  format: RowFormat,
): AsyncGenerator<ExportPage> {
  return pagesOfIds(merchantId, [ids], format);
}

function pagesOfIds(
  merchantId: string,
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  format: RowFormat,
): AsyncGenerator<ExportPage> {
  return mapAhead(inBatches(pages), CONCURRENT_BATCHES, async (ids) => ({
    ...(await retryWhileThrottled(() => getRows(merchantId, ids, format))),
    lastId: ids.at(-1),
    isOnly: false,
  }));
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
