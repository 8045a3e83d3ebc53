import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { OldTableError } from './dynamodb.ts';
import { TABLE_SCHEMA, tableSchemaFaults } from './table-schema.ts';

/**
 * Creates the table of the customers, if it does not exist.
 *
 * @throws OldTableError if it exists with other keys or indexes.
 */
export async function ensureTable(endpoint: string, name: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint });
  try {
    const exists = await createTable(client, name);
    await waitUntilTableExists(
      { client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 },
      { TableName: name },
    );
    if (exists) await checkSchema(client, name);
  } finally {
    client.destroy();
  }
}

/** Creates the table. Returns whether it exists already. */
async function createTable(client: DynamoDBClient, name: string): Promise<boolean> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
        ...TABLE_SCHEMA,
      }),
    );
    return false;
  } catch (error) {
    if (error instanceof ResourceInUseException) return true;
    throw error;
  }
}

async function checkSchema(client: DynamoDBClient, name: string): Promise<void> {
  const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: name }));
  const faults = tableSchemaFaults(Table);
  if (faults.length === 0) return;
  throw new OldTableError(
    [
      `An older version created the table ${name}; its keys and indexes have changed since.`,
      ...faults,
    ].join('\n'),
  );
}
