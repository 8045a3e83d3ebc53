import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
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

/** Keys and indexes of a table, as DynamoDB's API has them. */
type TableSchema = Pick<
  CreateTableCommandInput,
  'KeySchema' | 'AttributeDefinitions' | 'GlobalSecondaryIndexes'
>;

const SCHEMA: TableSchema = {
  KeySchema: keySchema(KEY.sort),
  AttributeDefinitions: [
    { AttributeName: KEY.partition, AttributeType: 'S' },
    { AttributeName: KEY.sort, AttributeType: 'S' },
    { AttributeName: CUSTOMER_INDEX.sortKey, AttributeType: 'N' },
    { AttributeName: IDENTITY_NUMBER_INDEX.sortKey, AttributeType: 'S' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: CUSTOMER_INDEX.name,
      KeySchema: keySchema(CUSTOMER_INDEX.sortKey),
      Projection: {
        ProjectionType: 'INCLUDE',
        NonKeyAttributes: [...CUSTOMER_INDEX.projected],
      },
    },
    {
      IndexName: IDENTITY_NUMBER_INDEX.name,
      KeySchema: keySchema(IDENTITY_NUMBER_INDEX.sortKey),
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
};

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
        ...SCHEMA,
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
  const found = describeSchema(Table as TableSchema);
  const expected = describeSchema(SCHEMA);
  const outdated = found.filter((part) => !expected.includes(part));
  const missing = expected.filter((part) => !found.includes(part));
  if (outdated.length + missing.length === 0) return;
  throw new OldTableError(
    [
      `An older version created the table ${name}; its keys and indexes have changed since.`,
      ...outdated.map((part) => `  found:     ${part}`),
      ...missing.map((part) => `  expected:  ${part}`),
    ].join('\n'),
  );
}

/** Returns one text for the table's key and one for each index, equal for equal schemas. */
function describeSchema(schema: TableSchema): string[] {
  const { KeySchema, AttributeDefinitions = [], GlobalSecondaryIndexes = [] } = schema;
  const describeKey = (key: TableSchema['KeySchema'] = []) =>
    key.map(({ AttributeName }) => {
      const type = AttributeDefinitions.find((each) => each.AttributeName === AttributeName);
      return `${AttributeName} (${type?.AttributeType})`;
    });
  return [
    `key ${describeKey(KeySchema).join(', ')}`,
    ...GlobalSecondaryIndexes.map(({ IndexName, KeySchema: key, Projection }) => {
      const { ProjectionType, NonKeyAttributes = [] } = Projection ?? {};
      // DynamoDB may return the attributes in another order.
      const projected = [ProjectionType, ...[...NonKeyAttributes].sort()].join(' ');
      return `index ${IndexName}, key ${describeKey(key).join(', ')}, projection ${projected}`;
    }),
  ];
}

function keySchema(sortKey: string): NonNullable<TableSchema['KeySchema']> {
  return [
    { AttributeName: KEY.partition, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ];
}
