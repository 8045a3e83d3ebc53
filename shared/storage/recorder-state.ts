import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { RECORDER_KEY } from './table.ts';

/*
 * Whether the change logs are late. An item is written each minute (HEARTBEAT_KEY); it comes through
 * the table's stream like the changes, and the recorder notes when it was written. So a recent
 * heartbeat proves that stream, event source mapping, function and permissions work. A partition's
 * records can be late while others are not: what is recorded late, or fails, is noted as well.
 */

/** What the recorder has to note of a batch. */
interface RecorderState {
  /** When the newest heartbeat of the batch was written, in milliseconds since 1970. */
  readonly heartbeatMs?: number | undefined;
  /** The current time, if changes were recorded late or not at all. */
  readonly lateMs?: number | undefined;
}

/** Notes that a heartbeat came, or that changes are late. */
export async function noteRecorderState({ heartbeatMs, lateMs }: RecorderState): Promise<void> {
  const noted = Object.entries({ heartbeatMs, lateMs }).filter(([, time]) => time !== undefined);
  await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: RECORDER_KEY,
      UpdateExpression: `SET ${noted.map(([name]) => `${name} = :${name}`).join(', ')}`,
      ExpressionAttributeValues: Object.fromEntries(
        noted.map(([name, time]) => [`:${name}`, time]),
      ),
    }),
  );
}
