import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { inParallel } from '../parallel.ts';
import { getItems, MAX_BATCH, type RawItem } from './batch.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { selectedEntries } from './directory.ts';
import { CUSTOMER_PREFIX, partitionKey } from './items.ts';

const PARALLEL_BATCHES = 4;

/**
 * Pages of the selected customers' items, by ascending id. Each customer comes as it is when its
 * page is read; the whole is no snapshot.
 */
export function selectedItems(
  merchant: string,
  selection: Selection,
): AsyncGenerator<readonly RawItem[]> {
  return isEveryone(selection) ? allItems(merchant) : itemsOf(merchant, idsOf(merchant, selection));
}

/** Pages of the items of customers with these ids, in their order; absent ones are left out. */
export function chosenItems(
  merchant: string,
  ids: readonly number[],
): AsyncGenerator<readonly RawItem[]> {
  return itemsOf(merchant, [ids]);
}

async function* allItems(merchant: string): AsyncGenerator<readonly RawItem[]> {
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: {
        ':pk': { S: partitionKey(merchant) },
        ':prefix': { S: CUSTOMER_PREFIX },
      },
    },
  );
  for await (const { Items = [] } of pages) yield Items;
}

async function* idsOf(merchant: string, selection: Selection): AsyncGenerator<readonly number[]> {
  for await (const entries of selectedEntries(merchant, selection)) {
    yield entries.map(({ id }) => id);
  }
}

async function* itemsOf(
  merchant: string,
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
): AsyncGenerator<readonly RawItem[]> {
  for await (const ids of pages) {
    for (let from = 0; from < ids.length; from += MAX_BATCH * PARALLEL_BATCHES) {
      const batches = Array.from({ length: PARALLEL_BATCHES }, (_, index) =>
        ids.slice(from + index * MAX_BATCH, from + (index + 1) * MAX_BATCH),
      );
      const items = await inParallel(batches, PARALLEL_BATCHES, (batch) =>
        getItems(merchant, batch),
      );
      yield items.flat();
    }
  }
}
