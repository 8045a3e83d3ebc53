import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ExportJob } from '../domain/export.ts';
import { EXPORT_JOB_LIFETIME_S } from '../domain/limits.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { expiringIn, exportJobKey, isExpired } from './table.ts';

/** The part of a job that changes as it progresses. */
export type JobChanges = Partial<Pick<ExportJob, 'state' | 'rowsDone' | 'bytes' | 'reason'>>;

/** Stores a new job. It expires {@link EXPORT_JOB_LIFETIME_S} seconds after its last update. */
export async function addExportJob(merchantId: string, job: ExportJob): Promise<void> {
  const { id, ...facts } = job;
  await documents.send(
    new PutCommand({
      TableName: TABLE_NAME,
      Item: { ...exportJobKey(merchantId, id), ...toAttributes(facts) },
    }),
  );
}

/** Returns the job; undefined if the merchant has none with this id, or it has expired. */
export async function getExportJob(merchantId: string, id: string): Promise<ExportJob | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: exportJobKey(merchantId, id),
      ConsistentRead: true,
    }),
  );
  return Item && !isExpired(Item) ? toJob(id, Item) : undefined;
}

/**
 * Updates a job; the same changes may be applied again.
 *
 * @throws ConditionalCheckFailedException if the job does not exist.
 */
export async function updateExportJob(
  merchantId: string,
  id: string,
  changes: JobChanges,
): Promise<void> {
  const values = toAttributes({ ...changes, updated: new Date().toISOString() });
  const names = Object.keys(values);
  await documents.send(
    new UpdateCommand({
      TableName: TABLE_NAME,
      Key: exportJobKey(merchantId, id),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: 'attribute_exists(pk)',
      // Some of the names are reserved words of DynamoDB.
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [`:${name}`, value]),
      ),
    }),
  );
}

/** Returns a job's attributes, by the names in `EXPORT_JOB_ATTRIBUTES`: a customer has a `state`. */
function toAttributes({
  state,
  file,
  ...rest
}: Partial<Omit<ExportJob, 'id'>>): Record<string, unknown> {
  return {
    ...rest,
    ...(state && { jobState: state }),
    ...(file && { objectKey: file.key, filename: file.filename, contentType: file.contentType }),
    ...expiringIn(EXPORT_JOB_LIFETIME_S),
  };
}

function toJob(id: string, item: Record<string, unknown>): ExportJob {
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
