import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DynamoDBDocumentClient,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../../shared/concurrency.ts';
import type { Customer, CustomerFields } from '../../shared/domain/customer.ts';
import { conditionHolds } from '../../shared/storage/conditional-write.ts';
import type { References } from '../../shared/storage/create-customer.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { sequenceKey } from '../../shared/storage/table.ts';
import type { LocalStack } from './stack.ts';

/** Maximum items of one BatchWriteItem. */
const BATCH = 25;
const CONCURRENT_BATCHES = 2;

type Puts = NonNullable<BatchWriteCommandInput['RequestItems']>[string];

/**
 * Writes customers into the table, as the API stores them, for a merchant that has none: they get the
 * ids from 1, in this order. A repeat replaces them.
 *
 * A customer costs 1 ms of CPU time; through the API, with an idempotency key, it costs 15 ms.
 *
 * @param references the module and the service of all of them.
 */
export async function seedCustomers(
  { dynamodbEndpoint, table }: Pick<LocalStack, 'dynamodbEndpoint' | 'table'>,
  merchantId: string,
  fields: readonly CustomerFields[],
  references: References = {},
): Promise<Customer[]> {
  const date = new Date().toISOString();
  const customers = fields.map(
    (fields, index): Customer => ({
      system: { mexcParamvaluesetsid: index + 1, date, ...references },
      fields,
      version: 1,
      updated: date,
    }),
  );
  const puts = customers.map((customer) => ({
    PutRequest: { Item: toItem(merchantId, customer) },
  }));
  const batches = Array.from({ length: Math.ceil(puts.length / BATCH) }, (_, index) =>
    puts.slice(index * BATCH, (index + 1) * BATCH),
  );
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
    // First, so that a customer that is created meanwhile gets another id.
    await conditionHolds(
      documents.send(
        new UpdateCommand({
          TableName: table,
          Key: sequenceKey(merchantId),
          UpdateExpression: 'SET lastId = :last, lastDate = :date',
          ConditionExpression: 'attribute_not_exists(lastId) OR lastId < :last',
          ExpressionAttributeValues: { ':last': customers.length, ':date': date },
        }),
      ),
    );
    await mapConcurrently(batches, CONCURRENT_BATCHES, putAll);
  } finally {
    client.destroy();
  }
  return customers;
}
