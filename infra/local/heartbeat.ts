import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { HEARTBEAT_KEY } from '../../shared/storage/table.ts';

/** As often as the schedule of the stack. */
const INTERVAL_MS = 60_000;

/**
 * Writes an item each minute, as the stack's schedule does, so that its record in the table's stream
 * shows whether the change log is late.
 *
 * @returns what ends it.
 */
export function startHeartbeat({
  endpoint,
  table,
}: {
  /** URL of the DynamoDB server. */
  readonly endpoint: string;
  readonly table: string;
}): () => Promise<void> {
  const client = new DynamoDBClient({ endpoint, maxAttempts: 1 });
  const { pk, sk } = HEARTBEAT_KEY;
  const beat = async () => {
    const time = new Date().toISOString();
    const Item = { pk: { S: pk }, sk: { S: sk }, scheduled: { S: time } };
    // One that fails is missed, as the next one shows.
    await client.send(new PutItemCommand({ TableName: table, Item })).catch(() => {});
  };
  let last = beat();
  const timer = setInterval(() => {
    last = beat();
  }, INTERVAL_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await last;
    client.destroy();
  };
}
