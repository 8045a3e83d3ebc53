import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import { MAX_RESPONSE_BYTES } from '../domain/limits.ts';
import { escapedBytes, JSON_ROWS } from '../formats/json.ts';
import { matchingIds } from './customer-index.ts';
import { rowsByIds } from './rows-by-ids.ts';
import { queryRows, type Rows } from './serialized-items/index.ts';
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

/**
 * Returns a page of the customers that meet the filter, by ascending id. It has fewer customers than
 * the limit if more would not fit into a response. Without filter and start
 * the table is read consistently; otherwise the customer index finds the customers, which are then
 * read consistently from the table.
 */
export async function listCustomers(
  merchantId: string,
  filter: CustomerFilter,
  position: PagePosition,
): Promise<CustomerPage> {
  if (filter.lookUps) return pageOfLookUps(merchantId, filter, position);
  return isEveryone(filter) && position.start === 0
    ? pageOfTable(merchantId, position)
    : pageOfIndex(merchantId, filter, position);
}

async function pageOfTable(
  merchantId: string,
  { after, limit }: PagePosition,
): Promise<CustomerPage> {
  const page = new PageBuilder(limit);
  let startKey: Awaited<ReturnType<typeof queryRows>>['next'];
  do {
    const { rows, next } = await queryRows(
      {
        ...customersIn(merchantId, { from: after + 1, to: LAST_ID }),
        ConsistentRead: true,
        // One more than the limit shows whether there is a next page.
        Limit: limit + 1 - page.count,
        ExclusiveStartKey: startKey,
      },
      JSON_ROWS,
    );
    page.add(rows);
    startKey = next;
  } while (startKey && !page.hasMore);
  return page.build();
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
  const page = new PageBuilder(limit);
  const options = { merchantId, format: JSON_ROWS, isConsistent: true };
  for await (const { rows } of rowsByIds([pageIds], options)) {
    page.add(rows);
    if (page.hasMore) return page.build();
  }
  return { ...page.build(), next: ids.length > limit ? pageIds.at(-1) : undefined };
}

async function pageOfLookUps(
  merchantId: string,
  filter: CustomerFilter,
  { after, start, limit }: PagePosition,
): Promise<CustomerPage> {
  // Loaded on demand: most lists have no look-up, and their cold start does without this.
  const { findByLookUps, lookedUpCustomers, rowsOf } = await import('./look-ups.ts');
  const ids = await findByLookUps(merchantId, filter);
  const page = new PageBuilder(limit);
  let toSkip = start;
  // One more than the limit shows whether there is a next page.
  const options = { after, wanted: start + limit + 1 };
  for await (const { customers } of lookedUpCustomers(merchantId, filter, ids, options)) {
    page.add(rowsOf(customers.slice(toSkip), JSON_ROWS));
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
  #bytes = 0;
  #lastId: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds as many of the rows as the page has room for. */
  add({ text, ids, ends }: Rows): void {
    let added = 0;
    for (; added < ids.length && this.count < this.#limit; added += 1) {
      const row = text.subarray(ends[added - 1] ?? 0, ends[added]);
      const bytes = escapedBytes(row);
      // DynamoDB's limit of 400 kB leaves room for some customers on each page.
      if (this.#bytes + bytes > MAX_RESPONSE_BYTES) break;
      this.#bytes += bytes;
      this.count += 1;
      this.#lastId = ids[added];
    }
    this.#texts.push(text.subarray(0, ends[added - 1] ?? 0));
    this.hasMore = added < ids.length;
  }

  build(): CustomerPage {
    const json = `[${Buffer.concat(this.#texts).toString().slice(0, -1)}]`;
    return { json, next: this.hasMore ? this.#lastId : undefined };
  }
}
