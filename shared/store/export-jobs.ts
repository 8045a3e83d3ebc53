import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ExportJob } from '../export/job.ts';
import { EXPORT_JOB_LIFETIME_S } from '../limits.ts';
import { TTL_ATTRIBUTE } from '../table.ts';
import { documents, TABLE_NAME } from './client.ts';
import { exportJobKey, type Item } from './items.ts';

/** What of a job changes as it goes on. */
export type JobChanges = Partial<Pick<ExportJob, 'state' | 'rowsDone' | 'bytes' | 'reason'>>;

/** Stores a new job. It is forgotten some time after it last moved. */
export async function addExportJob(merchant: string, job: ExportJob): Promise<void> {
  const { id, file, ...rest } = job;
  const { key: objectKey, filename, contentType } = file;
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: {
        ...exportJobKey(merchant, id),
        ...rest,
        objectKey,
        filename,
        contentType,
        [TTL_ATTRIBUTE]: expiry(),
      },
    }),
  );
}

/** The job with this id; undefined where the merchant has none, or it has expired. */
export async function getExportJob(merchant: string, id: string): Promise<ExportJob | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: exportJobKey(merchant, id),
      ConsistentRead: true,
    }),
  );
  // DynamoDB deletes expired items late, so that expiry is checked here.
  return Item && Item[TTL_ATTRIBUTE] > now() ? toJob(id, Item) : undefined;
}

/**
 * Notes how far a job has come. The same changes may be noted again.
 *
 * @throws ConditionalCheckFailedException where the job is gone.
 */
export async function updateExportJob(
  merchant: string,
  id: string,
  changes: JobChanges,
): Promise<void> {
  const values = { ...changes, updated: new Date().toISOString(), [TTL_ATTRIBUTE]: expiry() };
  const names = Object.keys(values);
  await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: exportJobKey(merchant, id),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: 'attribute_exists(pk)',
      // Some of the names are words that DynamoDB keeps to itself.
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`:${name}`, value]),
      ),
    }),
  );
}

function toJob(id: string, item: Item): ExportJob {
  const { pk: _, sk: __, objectKey, filename, contentType, [TTL_ATTRIBUTE]: ___, ...rest } = item;
  return { id, ...rest, file: { key: objectKey, filename, contentType } } as ExportJob;
}

function expiry(): number {
  return now() + EXPORT_JOB_LIFETIME_S;
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}
