import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import { MAX_RESPONSE_BYTES } from '../domain/limits.ts';
import type { SortOrder, SortPosition } from '../domain/sort-order.ts';
import { escapedBytes } from '../formats/json.ts';
import type { RowFormat } from '../formats/row-format.ts';
import { matchingIds, matchingIdsDescending } from './customer-index.ts';
import { rowsByIds, rowsInOrder } from './rows-by-ids.ts';
import { type QueriedRows, queryRows, type Rows } from './serialized-items/index.ts';
import { customersIn, LAST_ID } from './table.ts';

/** Which customers a list has, and their order. */
export interface CustomerList {
  readonly merchantId: string;
  readonly filter: CustomerFilter;
  readonly order: SortOrder;
}

/** Position and size of a page. */
export interface PagePosition {
  /** Where the page starts: `next` of the page before. */
  readonly after: SortPosition | undefined;
  /** How many customers to skip. */
  readonly start: number;
  readonly limit: number;
}

/** A page of customers. */
export interface CustomerPage {
  /** JSON array of the customers. */
  readonly json: string;
  /** Position of the page's last customer, if more follow. */
  readonly next: SortPosition | undefined;
}

/**
 * Returns a page of a list. It has fewer customers than the limit if more would not fit into a
 * response. Without filter and start, ordered by id, the table is read consistently; otherwise the
 * customer index finds the customers, which are then read consistently from the table.
 *
 * @throws TooManyToSortError if too many customers would have to be sorted.
 */
export function listCustomers(
  list: CustomerList,
  position: PagePosition,
  format: RowFormat,
): Promise<CustomerPage> {
  const { filter, order } = list;
  const isById = order.by === 'id' && !(filter.lookUps && order.isDescending);
  if (!isById) return pageOfSorted(list, position, format);
  if (filter.lookUps) return pageOfLookUps(list, position, format);
  return isEveryone(filter) && position.start === 0
    ? pageOfTable(list, position, format)
    : pageOfIndex(list, position, format);
}

async function pageOfTable(
  { merchantId, order: { isDescending } }: CustomerList,
  { after, limit }: PagePosition,
  format: RowFormat,
): Promise<CustomerPage> {
  const page = new PageBuilder(limit);
  const range = isDescending
    ? { from: 1, to: (after?.id ?? LAST_ID) - 1 }
    : { from: (after?.id ?? 0) + 1, to: LAST_ID };
  let startKey: QueriedRows['next'];
  do {
    const { rows, next } = await queryRows(
      {
        ...customersIn(merchantId, range),
        ConsistentRead: true,
        ScanIndexForward: !isDescending,
        // One more than the limit shows whether there is a next page.
        Limit: limit + 1 - page.count,
        ExclusiveStartKey: startKey,
      },
      format,
    );
    page.add(rows);
    startKey = next;
  } while (startKey && !page.hasMore);
  return page.build();
}

async function pageOfIndex(
  { merchantId, filter, order: { isDescending } }: CustomerList,
  { after, start, limit }: PagePosition,
  format: RowFormat,
): Promise<CustomerPage> {
  const ids: number[] = [];
  let toSkip = start;
  const wanted = start + limit + 1;
  const pages = isDescending
    ? matchingIdsDescending(merchantId, filter, { before: after?.id, wanted })
    : matchingIds(merchantId, filter, { after: after?.id ?? 0, wanted });
  for await (const found of pages) {
    // One more than the limit shows whether there is a next page.
    ids.push(...found.slice(toSkip, toSkip + limit + 1 - ids.length));
    toSkip -= Math.min(toSkip, found.length);
    if (ids.length > limit) break;
  }
  const options = { merchantId, format, isConsistent: true };
  const pageIds = ids.slice(0, limit);
  const rows = isDescending ? rowsInOrder(pageIds, options) : rowsByIds([pageIds], options);
  return pageOfRows(rows, limit, ids.length > limit ? pageIds.at(-1) : undefined);
}

async function pageOfSorted(
  { merchantId, filter, order }: CustomerList,
  { after, start, limit }: PagePosition,
  format: RowFormat,
): Promise<CustomerPage> {
  // Loaded on demand: a cold start of other lists does without.
  const { entriesAfter, sortCustomers } = await import('./sort-customers.ts');
  const sorted = await sortCustomers(merchantId, filter, order);
  const rest = after ? entriesAfter(sorted, order, after) : sorted;
  const entries = rest.slice(start, start + limit);
  const ids = entries.map(({ id }) => id);
  const hasMore = rest.length > start + limit;
  const rows = rowsInOrder(ids, { merchantId, format, isConsistent: true });
  const { json, next } = await pageOfRows(rows, limit, hasMore ? ids.at(-1) : undefined);
  return { json, next: order.by === 'id' ? next : entries.find(({ id }) => id === next?.id) };
}

/** @param last id of the page's last customer, if more follow. */
async function pageOfRows(
  pages: AsyncIterable<{ readonly rows: Rows }>,
  limit: number,
  last: number | undefined,
): Promise<CustomerPage> {
  const page = new PageBuilder(limit);
  for await (const { rows } of pages) {
    page.add(rows);
    if (page.hasMore) return page.build();
  }
  return { ...page.build(), next: last === undefined ? undefined : { id: last } };
}

async function pageOfLookUps(
  { merchantId, filter }: CustomerList,
  { after, start, limit }: PagePosition,
  format: RowFormat,
): Promise<CustomerPage> {
  // Loaded on demand: most lists have no look-up, and their cold start does without this.
  const { findByLookUps, lookedUpCustomers, rowsOf } = await import('./look-ups.ts');
  const ids = await findByLookUps(merchantId, filter);
  const page = new PageBuilder(limit);
  let toSkip = start;
  // One more than the limit shows whether there is a next page.
  const options = { after: after?.id ?? 0, wanted: start + limit + 1 };
  for await (const { customers } of lookedUpCustomers(merchantId, filter, ids, options)) {
    page.add(rowsOf(customers.slice(toSkip), format));
    toSkip -= Math.min(toSkip, customers.length);
    if (page.hasMore) break;
  }
  return page.build();
}

/** Collects rows up to a number of customers, and up to the size of a response. */
class PageBuilder {
  /** Whether rows were left out, which the next page has. */
  hasMore = false;
  count = 0;
  readonly #limit: number;
  readonly #texts: Buffer[] = [];
  /** Bytes of the texts in a response, or more. */
  #bytes = 0;
  #lastId = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds as many of the rows as the page has room for. */
  add({ text, ids, ends }: Rows): void {
    // Escaping doubles a text at most. Far from the limit that is enough to know: to count each byte, in
    // code that is not compiled yet, takes 4 % of a cold start.
    const isNear = this.#bytes + 2 * text.length > MAX_RESPONSE_BYTES;
    if (isNear) this.#bytes = this.#texts.reduce((sum, each) => sum + escapedBytes(each), 0);
    let added = 0;
    for (; added < ids.length && this.count < this.#limit; added += 1) {
      const row = text.subarray(ends[added - 1] ?? 0, ends[added]);
      const bytes = isNear ? escapedBytes(row) : 2 * row.length;
      // DynamoDB's limit of 400 kB leaves room for some customers on each page.
      if (this.#bytes + bytes > MAX_RESPONSE_BYTES) break;
      this.#bytes += bytes;
      this.count += 1;
      this.#lastId = ids[added] as number;
    }
    this.#texts.push(text.subarray(0, ends[added - 1] ?? 0));
    this.hasMore = added < ids.length;
  }

  build(): CustomerPage {
    const json = `[${Buffer.concat(this.#texts).toString().slice(0, -1)}]`;
    return { json, next: this.hasMore ? { id: this.#lastId } : undefined };
  }
}
