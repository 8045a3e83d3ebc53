import {
  type AttributeDefinition,
  CreateTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CUSTOMER_INDEX, IDENTITY_NUMBER_INDEX, KEY } from '../../shared/storage/table.ts';
import type { LocalServer } from './server.ts';
import { startInThread } from './thread.ts';

export interface DynamoDbOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Folder of the data; in memory if not given. */
  readonly path?: string | undefined;
}

/** The folder with the data is in use by another process. */
export class DataInUseError extends Error {}

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

/** Creates the table of the customers, if it does not exist. */
export async function ensureTable(endpoint: string, name: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint });
  try {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: KEY.partition, KeyType: 'HASH' },
          { AttributeName: KEY.sort, KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          attribute(KEY.partition, 'S'),
          attribute(KEY.sort, 'S'),
          attribute(CUSTOMER_INDEX.sortKey, 'N'),
          attribute(IDENTITY_NUMBER_INDEX.sortKey, 'S'),
        ],
        GlobalSecondaryIndexes: [
          index(CUSTOMER_INDEX.name, CUSTOMER_INDEX.sortKey, {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: [...CUSTOMER_INDEX.projected],
          }),
          index(IDENTITY_NUMBER_INDEX.name, IDENTITY_NUMBER_INDEX.sortKey, {
            ProjectionType: 'KEYS_ONLY',
          }),
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists(
    { client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 },
    { TableName: name },
  );
  client.destroy();
}

function attribute(AttributeName: string, AttributeType: 'S' | 'N'): AttributeDefinition {
  return { AttributeName, AttributeType };
}

function index(
  IndexName: string,
  sortKey: string,
  Projection: GlobalSecondaryIndex['Projection'],
): GlobalSecondaryIndex {
  return {
    IndexName,
    KeySchema: [
      { AttributeName: KEY.partition, KeyType: 'HASH' },
      { AttributeName: sortKey, KeyType: 'RANGE' },
    ],
    Projection,
  };
}
