import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { inParallel } from '../parallel.ts';
import { getItems, MAX_BATCH, type RawItem } from './batch.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { type Entry, selectedEntries } from './directory.ts';
import { CUSTOMER_PREFIX, customerKey, idOf, partitionKey } from './items.ts';

const PARALLEL_BATCHES = 4;

/** Some of the customers that an export holds, in order. */
export interface ItemPage {
  readonly items: readonly RawItem[];
  /** Where the page ends: given back as `after`, the export goes on behind it. */
  readonly lastKey: string;
}

/**
 * Pages of the selected customers' items, by ascending id. Each customer comes as it is when its
 * page is read; the whole is no snapshot.
 *
 * @param after `lastKey` of a page of the same selection, behind which to begin.
 */
export function selectedItems(
  merchant: string,
  selection: Selection,
  after?: string,
): AsyncGenerator<ItemPage> {
  return isEveryone(selection)
    ? allItems(merchant, after)
    : itemsOf(merchant, selectedEntries(merchant, selection, after));
}

/** Pages of the items of customers with these ids, in their order; absent ones are left out. */
export function chosenItems(merchant: string, ids: readonly number[]): AsyncGenerator<ItemPage> {
  return itemsOf(merchant, [ids.map((id) => ({ id, key: String(id) }))]);
}

async function* allItems(merchant: string, after?: string): AsyncGenerator<ItemPage> {
  const pages = paginateQuery(
    {
      client: dynamodb,
      ...(after !== undefined && { startingToken: marshall(customerKey(merchant, Number(after))) }),
    },
    {
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: {
        ':pk': { S: partitionKey(merchant) },
        ':prefix': { S: CUSTOMER_PREFIX },
      },
    },
  );
  for await (const { Items = [] } of pages) {
    const last = Items.at(-1)?.sk?.S;
    if (last !== undefined) yield { items: Items, lastKey: String(idOf(last)) };
  }
}

async function* itemsOf(
  merchant: string,
  pages: Iterable<readonly Entry[]> | AsyncIterable<readonly Entry[]>,
): AsyncGenerator<ItemPage> {
  for await (const entries of pages) {
    for (let from = 0; from < entries.length; from += MAX_BATCH * PARALLEL_BATCHES) {
      const batches = Array.from({ length: PARALLEL_BATCHES }, (_, index) =>
        entries.slice(from + index * MAX_BATCH, from + (index + 1) * MAX_BATCH),
      );
      const items = await inParallel(batches, PARALLEL_BATCHES, (batch) =>
        getItems(
          merchant,
          batch.map(({ id }) => id),
        ),
      );
      const last = batches.flat().at(-1) as Entry;
      yield { items: items.flat(), lastKey: last.key };
    }
  }
}
