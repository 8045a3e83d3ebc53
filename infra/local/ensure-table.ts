import { setTimeout } from 'node:timers/promises';
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { OldTableError } from './dynamodb.ts';
import { requestDynamoDb } from './dynamodb-request.ts';
import { TABLE_SCHEMA, tableSchemaFaults } from './table-schema.ts';

const API = 'DynamoDB_20120810';
/** How often, and how long, to ask whether a table is created. */
const POLL_MS = 20;
const MAX_WAIT_MS = 30_000;

/**
 * Creates the table of the customers, if it does not exist.
 *
 * @throws OldTableError if it exists with other keys or indexes.
 */
export async function ensureTable(endpoint: string, name: string): Promise<void> {
  const exists = await createTable(endpoint, name);
  const table = await activeTable(endpoint, name);
  if (exists) checkSchema(table, name);
}

/** Creates the table. Returns whether it exists already. */
async function createTable(endpoint: string, name: string): Promise<boolean> {
  try {
    await requestDynamoDb(endpoint, `${API}.CreateTable`, {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
      ...TABLE_SCHEMA,
    });
    return false;
  } catch (error) {
    if ((error as Error).name === 'ResourceInUseException') return true;
    throw error;
  }
}

/** Returns the table once it is active. */
async function activeTable(endpoint: string, name: string): Promise<TableDescription> {
  for (const latest = Date.now() + MAX_WAIT_MS; ; await setTimeout(POLL_MS)) {
    const { Table } = await requestDynamoDb(endpoint, `${API}.DescribeTable`, { TableName: name });
    if (Table.TableStatus === 'ACTIVE') return Table;
    if (Date.now() > latest) {
      throw new Error(`The table ${name} is ${Table.TableStatus} after ${MAX_WAIT_MS / 1_000} s.`);
    }
  }
}

function checkSchema(table: TableDescription, name: string): void {
  const faults = tableSchemaFaults(table);
  if (faults.length === 0) return;
  throw new OldTableError(
    [
      `An older version created the table ${name}; its keys and indexes have changed since.`,
      ...faults,
    ].join('\n'),
  );
}
