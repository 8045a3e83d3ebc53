import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { EXPORT_JOB_LIFETIME_S } from '../domain/limits.ts';
import type { ExportJob } from '../exports/job.ts';
import { exportJobKey, type Item } from './customer-item.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, isExpired } from './expiry.ts';

/** What of a job changes as it goes on. */
export type JobChanges = Partial<Pick<ExportJob, 'state' | 'rowsDone' | 'bytes' | 'reason'>>;

/** Stores a new job. It is forgotten some time after it last moved. */
export async function addExportJob(merchant: string, job: ExportJob): Promise<void> {
  const { id, ...facts } = job;
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: { ...exportJobKey(merchant, id), ...toAttributes(facts) },
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
  return Item && !isExpired(Item) ? toJob(id, Item) : undefined;
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
  const values = toAttributes({ ...changes, updated: new Date().toISOString() });
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

/** What is stored of a job, by the names in `EXPORT_JOB_ATTRIBUTES`; a customer has a `state`. */
function toAttributes({ state, file, ...rest }: Partial<Omit<ExportJob, 'id'>>): Item {
  return {
    ...rest,
    ...(state && { jobState: state }),
    ...(file && { objectKey: file.key, filename: file.filename, contentType: file.contentType }),
    ...expiringIn(EXPORT_JOB_LIFETIME_S),
  };
}

function toJob(id: string, item: Item): ExportJob {
  const { jobState, format, objectKey, filename, contentType } = item;
  const { rowsDone, rowsExpected, started, updated, bytes, reason } = item;
  return {
    id,
    state: jobState,
    format,
    file: { key: objectKey, filename, contentType },
    rowsDone,
    rowsExpected,
    started,
    updated,
    bytes,
    reason,
  } as ExportJob;
}
