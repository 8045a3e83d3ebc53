import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DynamoDBDocumentClient,
} from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../../shared/concurrency.ts';
import type { Customer, CustomerFields } from '../../shared/domain/customer.ts';
import type { References } from '../../shared/storage/create-customer.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { announceNewItems } from './new-items.ts';
import { reserveIds } from './reserve-ids.ts';
import type { LocalStack } from './stack.ts';

/** Maximum items of one BatchWriteItem, and of one of new items. */
const BATCH = 25;
const BATCH_OF_NEW = 500;
const CONCURRENT_BATCHES = 2;

type Puts = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/**
 * Writes customers into the table, as the API stores them, for a merchant that has none: they get the
 * ids from 1, in this order. A repeat replaces them.
 *
 * A customer costs 0.3 ms of CPU time, a repeat 1 ms; through the API, with an idempotency key, it
 * costs 15 ms.
 *
 * @param references the module and the service of all of them.
 * @param dateOf returns when the customer at an index from 0 was created (ISO 8601), in ascending order;
 * now if not given.
 */
export async function seedCustomers(
  {
    dynamodbEndpoint,
    ownsDatabase,
    table,
  }: Pick<LocalStack, 'dynamodbEndpoint' | 'ownsDatabase' | 'table'>,
  merchantId: string,
  fields: readonly CustomerFields[],
  references: References = {},
  dateOf?: (index: number) => string,
): Promise<Customer[]> {
  const date = new Date().toISOString();
  const customers = fields.map((fields, index): Customer => {
    const created = dateOf?.(index) ?? date;
    return {
      system: { mexcParamvaluesetsid: index + 1, date: created, ...references },
      fields,
      version: 1,
      updated: created,
    };
  });
  const puts = customers.map((customer) => ({
    PutRequest: { Item: toItem(merchantId, customer) },
  }));
  const client = new DynamoDBClient({ endpoint: dynamodbEndpoint });
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  const putAll = async (batch: Puts): Promise<void> => {
    const { UnprocessedItems } = await documents.send(
      new BatchWriteCommand({ RequestItems: { [table]: batch } }),
    );
    const left = UnprocessedItems?.[table];
    if (left) await putAll(left);
  };
  try {
    const first = await reserveIds(documents, table, merchantId, customers.length, date);
    const areNew = ownsDatabase && first === 1;
    if (areNew) announceNewItems(client);
    const size = areNew ? BATCH_OF_NEW : BATCH;
    const batches = Array.from({ length: Math.ceil(puts.length / size) }, (_, index) =>
      puts.slice(index * size, (index + 1) * size),
    );
    await mapConcurrently(batches, CONCURRENT_BATCHES, putAll);
  } finally {
    client.destroy();
  }
  return customers;
}
