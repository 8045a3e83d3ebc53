import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { LocalServer } from './server.ts';
import { TABLE_SCHEMA, tableSchemaFaults } from './table-schema.ts';
import { startInThread } from './thread.ts';

export interface DynamoDbOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Folder of the data; in memory if not given. */
  readonly path?: string | undefined;
}

/** The folder with the data is in use by another process. */
export class DataInUseError extends Error {}

/** The table has other keys or indexes than today's: an older version created it. */
export class OldTableError extends Error {}

/**
 * Starts dynalite, a DynamoDB server.
 *
 * @throws DataInUseError if another process uses the folder.
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<LocalServer> {
  try {
    return await startInThread(new URL('./dynamodb-thread.ts', import.meta.url), options);
  } catch (error) {
    // dynalite hides why LevelDB could not open its files; the usual reason is a lock.
    if (!(error as NodeJS.ErrnoException).code?.startsWith('LEVEL_')) throw error;
    throw new DataInUseError(`Another process uses the data in ${options.path}.`);
  }
}

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
