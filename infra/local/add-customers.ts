import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../../shared/concurrency.ts';
import type { References } from '../../shared/storage/create-customer.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { readDataFile, writeDataFile } from './data-folder.ts';
import { announceNewItems } from './new-items.ts';
import { reserveIds } from './reserve-ids.ts';
import type { LocalStack } from './stack.ts';
import { variedCustomer } from './varied-customers.ts';

/** Customers that are being added: an interrupted start has left it. */
const MARK_FILE = 'customers-to-add';
/** Customers of a request, about half a megabyte. */
const BATCH = 500;
/** The thread of the table writes one while the next is prepared. */
const CONCURRENT_BATCHES = 2;

/** Ids of customers to add, both included, and their creation time. */
interface CustomersToAdd {
  readonly first: number;
  readonly last: number;
  readonly date: string;
}

/** Where to add customers. */
interface Register {
  readonly stack: Pick<LocalStack, 'dynamodbEndpoint' | 'table'>;
  readonly dataFolder: string;
  readonly merchantId: string;
  /** The module and the service of the customers. */
  readonly references: References;
}

/**
 * Adds varied customers, so that the merchant's ids end at a number: those who were deleted are not
 * replaced, and a repeat adds none. What an interrupted call has not added is added first, also
 * without a number.
 *
 * A customer costs a third of a millisecond of CPU time; through the API it costs 15.
 *
 * @returns how many were added.
 */
export async function addCustomers(register: Register, lastId?: number): Promise<number> {
  const client = new DynamoDBClient({ endpoint: register.stack.dynamodbEndpoint });
  announceNewItems(client);
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  try {
    const left = await readDataFile(register.dataFolder, MARK_FILE);
    let added = left ? await putAll(documents, register, JSON.parse(left)) : 0;
    const more = lastId && (await reserve(documents, register, lastId));
    if (more) {
      await writeDataFile(register.dataFolder, MARK_FILE, JSON.stringify(more));
      added += await putAll(documents, register, more);
    }
    return added;
  } finally {
    client.destroy();
  }
}

/** Takes the ids up to the last one; returns undefined if they are in use. */
async function reserve(
  documents: DynamoDBDocumentClient,
  { stack: { table }, merchantId }: Register,
  last: number,
): Promise<CustomersToAdd | undefined> {
  const date = new Date().toISOString();
  const first = await reserveIds(documents, table, merchantId, last, date);
  return first === undefined ? undefined : { first, last, date };
}

/** Puts the customers; a repeat replaces them by the same. Returns their number. */
async function putAll(
  documents: DynamoDBDocumentClient,
  { stack: { table }, dataFolder, merchantId, references }: Register,
  { first, last, date }: CustomersToAdd,
): Promise<number> {
  const item = (id: number) =>
    toItem(merchantId, {
      system: { mexcParamvaluesetsid: id, date, ...references },
      fields: variedCustomer(id - 1),
      version: 1,
      updated: date,
    });
  await mapConcurrently(batchesOf(first, last), CONCURRENT_BATCHES, async (ids) => {
    const puts = ids.map((id) => ({ PutRequest: { Item: item(id) } }));
    await documents.send(new BatchWriteCommand({ RequestItems: { [table]: puts } }));
  });
  await rm(join(dataFolder, MARK_FILE));
  return last - first + 1;
}

function* batchesOf(first: number, last: number): Generator<number[]> {
  for (let start = first; start <= last; start += BATCH) {
    yield Array.from({ length: Math.min(BATCH, last - start + 1) }, (_, index) => start + index);
  }
}
