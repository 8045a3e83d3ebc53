import { inParallel } from '../concurrency.ts';
import { isEveryone, type Selection } from '../domain/customer-filter.ts';
import { JSON_ROWS } from '../formats/json.ts';
import { selectedIds } from './customer-index.ts';
import { customersIn } from './customer-item.ts';
import { LAST_ID } from './parallel-query.ts';
import { getRows, inBatches, queryRows } from './serialized-items/index.ts';
import { rowWriter } from './serialized-items/item-serializer.ts';

/** Which page of a list. */
export interface Page {
  /** Id after which the page begins: the `next` of the page before. */
  readonly after: number;
  /** How many customers to pass over. */
  readonly start: number;
  readonly limit: number;
}

/** A page of customers as a JSON array, and the id of its last where more follow. */
export interface CustomerPage {
  readonly json: string;
  readonly next: number | undefined;
}

const PARALLEL_BATCHES = 4;

const writeJson = rowWriter(JSON_ROWS);

/**
 * A page of the selected customers by ascending id. Without filters and start all is read
 * consistently from the table; otherwise the directory finds the customers, and the table then
 * gives them as they are now.
 */
export async function listPage(
  merchant: string,
  selection: Selection,
  page: Page,
): Promise<CustomerPage> {
  return isEveryone(selection) && page.start === 0
    ? pageOfTable(merchant, page)
    : pageOfDirectory(merchant, selection, page);
}

async function pageOfTable(merchant: string, { after, limit }: Page): Promise<CustomerPage> {
  const rows: Buffer[] = [];
  const ids: number[] = [];
  let startKey: Awaited<ReturnType<typeof queryRows>>['next'];
  do {
    const found = await queryRows(
      {
        ...customersIn(merchant, { from: after + 1, to: LAST_ID }),
        ConsistentRead: true,
        // One more than asked for tells whether there is a next page.
        Limit: limit + 1 - ids.length,
        ExclusiveStartKey: startKey,
      },
      writeJson,
    );
    const { text, ends } = found.rows;
    const wanted = limit - ids.length;
    rows.push(ends.length > wanted ? text.subarray(0, ends[wanted - 1] ?? 0) : text);
    ids.push(...found.rows.ids);
    startKey = found.next;
  } while (startKey && ids.length <= limit);
  return { json: toArray(rows), next: ids.length > limit ? ids[limit - 1] : undefined };
}

async function pageOfDirectory(
  merchant: string,
  selection: Selection,
  { after, start, limit }: Page,
): Promise<CustomerPage> {
  const ids: number[] = [];
  let toPass = start;
  const wanted = start + limit + 1;
  for await (const found of selectedIds(merchant, selection, { after, wanted })) {
    // One more than asked for tells whether there is a next page.
    ids.push(...found.slice(toPass, toPass + limit + 1 - ids.length));
    toPass -= Math.min(toPass, found.length);
    if (ids.length > limit) break;
  }
  const chosen = ids.slice(0, limit);
  const rows = await inParallel(inBatches([chosen]), PARALLEL_BATCHES, (batch) =>
    getRows(merchant, batch, writeJson),
  );
  return {
    json: toArray(rows.map(({ text }) => text)),
    next: ids.length > limit ? chosen.at(-1) : undefined,
  };
}

/** A JSON array of rows, each of which has a comma behind it. */
function toArray(rows: readonly Buffer[]): string {
  return `[${Buffer.concat(rows).toString().slice(0, -1)}]`;
}
