import { mapConcurrently } from '../concurrency.ts';
import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import { JSON_ROWS } from '../formats/json.ts';
import { inBatches } from './batch-get.ts';
import { matchingIds } from './customer-index.ts';
import { getRows, queryRows } from './serialized-items/index.ts';
import { customersIn, LAST_ID } from './table.ts';

/** Position and size of a page. */
export interface PagePosition {
  /** Id after which the page starts: `next` of the page before. */
  readonly after: number;
  /** How many customers to skip. */
  readonly start: number;
  readonly limit: number;
}

/** A page of customers. */
export interface CustomerPage {
  /** JSON array of the customers. */
  readonly json: string;
  /** Id of the page's last customer, if more follow. */
  readonly next: number | undefined;
}

const CONCURRENT_BATCHES = 4;

/**
 * Returns a page of the customers that meet the filter, by ascending id. Without filter and start
 * the table is read consistently; otherwise the customer index finds the customers, which are then
 * read consistently from the table.
 */
export async function listCustomers(
  merchantId: string,
  filter: CustomerFilter,
  position: PagePosition,
): Promise<CustomerPage> {
  return isEveryone(filter) && position.start === 0
    ? pageOfTable(merchantId, position)
    : pageOfIndex(merchantId, filter, position);
}

async function pageOfTable(
  merchantId: string,
  { after, limit }: PagePosition,
): Promise<CustomerPage> {
  const rows: Buffer[] = [];
  const ids: number[] = [];
  let startKey: Awaited<ReturnType<typeof queryRows>>['next'];
  do {
    const found = await queryRows(
      {
        ...customersIn(merchantId, { from: after + 1, to: LAST_ID }),
        ConsistentRead: true,
        // One more than the limit shows whether there is a next page.
        Limit: limit + 1 - ids.length,
        ExclusiveStartKey: startKey,
      },
      JSON_ROWS,
    );
    const { text, ends } = found.rows;
    const wanted = limit - ids.length;
    rows.push(ends.length > wanted ? text.subarray(0, ends[wanted - 1] ?? 0) : text);
    ids.push(...found.rows.ids);
    startKey = found.next;
  } while (startKey && ids.length <= limit);
  return { json: toArray(rows), next: ids.length > limit ? ids[limit - 1] : undefined };
}

async function pageOfIndex(
  merchantId: string,
  filter: CustomerFilter,
  { after, start, limit }: PagePosition,
): Promise<CustomerPage> {
  const ids: number[] = [];
  let toSkip = start;
  const wanted = start + limit + 1;
  for await (const found of matchingIds(merchantId, filter, { after, wanted })) {
    // One more than the limit shows whether there is a next page.
    ids.push(...found.slice(toSkip, toSkip + limit + 1 - ids.length));
    toSkip -= Math.min(toSkip, found.length);
    if (ids.length > limit) break;
  }
  const pageIds = ids.slice(0, limit);
  const rows = await mapConcurrently(inBatches([pageIds]), CONCURRENT_BATCHES, (batch) =>
    getRows(merchantId, batch, JSON_ROWS),
  );
  return {
    json: toArray(rows.map(({ text }) => text)),
    next: ids.length > limit ? pageIds.at(-1) : undefined,
  };
}

/** Returns a JSON array of rows, each of which ends in a comma. */
function toArray(rows: readonly Buffer[]): string {
  return `[${Buffer.concat(rows).toString().slice(0, -1)}]`;
}
