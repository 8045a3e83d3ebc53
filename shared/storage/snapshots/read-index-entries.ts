import { setTimeout } from 'node:timers/promises';
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { indexQuery } from '../customer-index.ts';
import { dynamodb } from '../dynamodb.ts';
import { type IdRange, idInSortKey } from '../table.ts';
import { ENTRY_PROJECTION, toIndexEntry } from './index-entries.ts';
import { ENTRIES_PER_UNIT } from './merchant-snapshot.ts';
import type { IndexEntry } from './snapshot-format.ts';

/** A third of what a partition gives, so that callers are not throttled. */
const UNITS_PER_SECOND = 1_000;

/** DynamoDB has throttled a read, or failed: the index may be late. */
export class IndexUnderLoadError extends Error {}

/**
 * Yields the entries of the customer index with ids in a range, a page at a time, slowly.
 *
 * @throws IndexUnderLoadError if a read had to be repeated.
 */
export async function* readIndexEntries(
  merchantId: string,
  { from, to }: IdRange,
): AsyncGenerator<IndexEntry[]> {
  for (let next: number | undefined = from; next !== undefined && next <= to; ) {
    const started = Date.now();
    const page: QueryCommandOutput = await dynamodb.send(
      new QueryCommand(indexQuery(merchantId, { from: next, to }, ENTRY_PROJECTION)),
    );
    const { Items = [], LastEvaluatedKey: last, $metadata } = page;
    if (($metadata.attempts ?? 1) > 1) throw new IndexUnderLoadError();
    yield Items.map(toIndexEntry);
    next = last && idInSortKey(last.sk?.S) + 1;
    const ms = (Items.length / ENTRIES_PER_UNIT / UNITS_PER_SECOND) * 1_000;
    if (next !== undefined) await setTimeout(Math.max(0, started + ms - Date.now()));
  }
}
