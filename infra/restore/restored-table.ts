import { setTimeout } from 'node:timers/promises';
import {
  ContinuousBackupsUnavailableException,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  RestoreTableToPointInTimeCommand,
  type TableDescription,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { TTL_ATTRIBUTE } from '../../shared/storage/table.ts';
import { UsageError } from '../command.ts';
import { tableSchemaFaults } from '../local/table-schema.ts';
import { resourceTags } from '../resource-tags.ts';
import type { Settings } from '../settings.ts';

/** A table that was restored from a backup of another, and is not in use yet. */
export interface RestoredTable {
  readonly name: string;
  /** The time of its content, in milliseconds since 1970. */
  readonly contentMs: number;
  /** When it was created, in milliseconds since 1970. Nothing in the backup is newer. */
  readonly createdMs: number;
}

/** Descriptions that may lack a table that is being restored: DynamoDB's are eventually consistent. */
const MAX_MISSING = 10;
/** Names of tables that {@link nameOfRestored} has returned end so. */
const RESTORED_NAME = /-restored-\d{8}T\d{6}Z$/;

/** Returns the name of the table that a table is restored into: the same for the same time. */
export function nameOfRestored(table: string, contentMs: number): string {
  const time = new Date(contentMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${table.replace(RESTORED_NAME, '')}-restored-${time}`;
}

/** Returns a description of the table, or undefined if there is none with this name. */
export async function describeTable(
  client: DynamoDBClient,
  name: string,
): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/**
 * Starts to restore a table into a new one, with its indexes and its encryption.
 *
 * @throws UsageError if it has no backup of that time.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
 */
export async function startRestore(
  client: DynamoDBClient,
  source: string,
  target: string,
  contentMs: number,
): Promise<void> {
  const { ContinuousBackupsDescription } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName: source }),
  );
  const { EarliestRestorableDateTime: earliest, LatestRestorableDateTime: latest } =
    ContinuousBackupsDescription?.PointInTimeRecoveryDescription ?? {};
  if (!earliest || !latest) {
    throw new UsageError(`${source} has no backups: its point-in-time recovery is disabled.`);
  }
  const time = new Date(contentMs);
  if (time < earliest || time > latest) {
    throw new UsageError(
      `--at must be from ${earliest.toISOString()} to ${latest.toISOString()}, of which ${source} has backups; got ${time.toISOString()}.`,
    );
  }
  await client.send(
    new RestoreTableToPointInTimeCommand({
      SourceTableName: source,
      TargetTableName: target,
      RestoreDateTime: time,
    }),
  );
}

/**
 * Waits until a table and its indexes are complete, and returns its description.
 *
 * @throws UsageError if the table disappears.
 */
async function waitUntilUsable(
  client: DynamoDBClient,
  name: string,
  pollMs: number,
): Promise<TableDescription> {
  for (let missing = 0; missing < MAX_MISSING; ) {
    const table = await describeTable(client, name);
    if (!table) missing += 1;
    const isUsable =
      table?.TableStatus === 'ACTIVE' &&
      !table.RestoreSummary?.RestoreInProgress &&
      (table.GlobalSecondaryIndexes ?? []).every(({ IndexStatus }) => IndexStatus === 'ACTIVE');
    if (isUsable) return table;
    await setTimeout(pollMs);
  }
  throw new UsageError(`${name} is gone: its restore has failed. Run the command again.`);
}

/**
 * Waits until a table is restored, and checks that it is what it should be.
 *
 * @param source the table whose backup it was restored from.
 * @param contentMs the time of its content, if that is known.
 * @throws UsageError if it was not restored, or from another table, or to another time, or has other
 * keys or indexes than today's. Nothing may be written into it then.
 */
export async function waitUntilRestored(
  client: DynamoDBClient,
  name: string,
  { source, contentMs, pollMs }: { source: string; contentMs?: number | undefined; pollMs: number },
): Promise<RestoredTable> {
  const table = await waitUntilUsable(client, name, pollMs);
  const { RestoreSummary, CreationDateTime } = table;
  if (!RestoreSummary || !CreationDateTime) {
    throw new UsageError(`${name} was not restored from a backup. Name another table.`);
  }
  const { SourceTableArn, SourceBackupArn, RestoreDateTime } = RestoreSummary;
  const from = tableInArn(SourceTableArn ?? SourceBackupArn);
  if (from !== source) {
    throw new UsageError(`${name} was restored from ${from}, and not from ${source}.`);
  }
  const restoredMs = Math.floor((RestoreDateTime?.getTime() ?? 0) / 1_000) * 1_000;
  if (contentMs !== undefined && contentMs !== restoredMs) {
    const time = new Date(restoredMs).toISOString();
    throw new UsageError(`${name} was restored to ${time}, and not to the time of --at.`);
  }
  const faults = tableSchemaFaults(table);
  if (faults.length > 0) {
    throw new UsageError(
      [
        `The keys and indexes of ${name} are not today's. Deploy the version of its time with it:`,
        ...faults,
      ].join('\n'),
    );
  }
  return { name, contentMs: restoredMs, createdMs: CreationDateTime.getTime() };
}

/**
 * Gives a restored table the settings that a restore leaves out, but for its stream: TTL,
 * point-in-time recovery, deletion protection and tags. May be repeated.
 */
export async function applySettings(
  client: DynamoDBClient,
  { name: TableName }: RestoredTable,
  settings: Settings,
  pollMs: number,
): Promise<void> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (!TimeToLiveDescription?.TimeToLiveStatus?.startsWith('ENABL')) {
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { Enabled: true, AttributeName: TTL_ATTRIBUTE },
      }),
    );
  }
  await enableBackups(client, TableName, pollMs);
  const { DeletionProtectionEnabled = false, TableArn } = await waitUntilUsable(
    client,
    TableName,
    pollMs,
  );
  await client.send(
    new TagResourceCommand({
      ResourceArn: TableArn,
      Tags: Object.entries(resourceTags(settings)).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  // Last, as the table is being updated then, and refuses other changes.
  if (DeletionProtectionEnabled !== settings.protected) {
    await client.send(
      new UpdateTableCommand({ TableName, DeletionProtectionEnabled: settings.protected }),
    );
  }
}

async function enableBackups(
  client: DynamoDBClient,
  TableName: string,
  pollMs: number,
): Promise<void> {
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
  for (;;) {
    try {
      await client.send(
        new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }),
      );
      return;
    } catch (error) {
      // DynamoDB has not prepared the backups of a new table yet.
      if (!(error instanceof ContinuousBackupsUnavailableException)) throw error;
      await setTimeout(pollMs);
    }
  }
}

/**
 * Enables the stream of a restored table, which has the keys of changes, and returns its ARN. May be
 * repeated.
 *
 * @throws UsageError if the table has a stream of another kind.
 */
export async function enableStream(
  client: DynamoDBClient,
  { name: TableName }: RestoredTable,
  pollMs: number,
): Promise<string> {
  const { StreamSpecification } = await waitUntilUsable(client, TableName, pollMs);
  if (!StreamSpecification?.StreamEnabled) {
    await client.send(
      new UpdateTableCommand({
        TableName,
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
      }),
    );
  } else if (StreamSpecification.StreamViewType !== 'KEYS_ONLY') {
    throw new UsageError(
      `The stream of ${TableName} has ${StreamSpecification.StreamViewType} and must have KEYS_ONLY: disable it.`,
    );
  }
  const { LatestStreamArn } = await waitUntilUsable(client, TableName, pollMs);
  return LatestStreamArn as string;
}

/** Returns the name of the table in the ARN of a table or of its backup. */
function tableInArn(arn = ''): string {
  return arn.split('/')[1] ?? '';
}
