import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ExportJob } from '../domain/export.ts';
import { EXPORT_JOB_LIFETIME_S, LISTED_EXPORTS, WORK_STALLED_S } from '../domain/limits.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import {
  EXPORT_JOB_PREFIX,
  expiringIn,
  exportJobKey,
  isExpired,
  nowS,
  partitionKey,
} from './table.ts';

/** The part of a job that changes as it progresses. */
export type JobChanges = Partial<Pick<ExportJob, 'state' | 'rowsDone' | 'bytes' | 'reason'>>;

/** Why a job failed whose worker says nothing any more, in words for the caller. */
const STALLED = `The export made no progress for ${WORK_STALLED_S / 60} minutes. Export again.`;

/** Stores a new job. It expires {@link EXPORT_JOB_LIFETIME_S} seconds after its last update. */
export async function addExportJob(merchantId: string, job: ExportJob): Promise<void> {
  const { id, ...facts } = job;
  const put = new PutCommand({
    TableName: TABLE_NAME,
    Item: { ...exportJobKey(merchantId, id), ...toAttributes(facts) },
    // A put that arrives late must not undo a withdrawal.
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  // Ids are random: if there is an item, an earlier attempt of this put has stored it.
  await conditionHolds(documents.send(put));
}

/**
 * Withdraws a job that could not be started: there is no such job any more, and a worker that was
 * started all the same ends. A job that has ended stays as it is.
 */
export async function withdrawExportJob(merchantId: string, id: string): Promise<void> {
  const { ExpressionAttributeValues, ...update } = setting({
    jobState: 'canceled',
    ...expiringIn(0),
  });
  const withdraw = new UpdateCommand({
    TableName: TABLE_NAME,
    Key: exportJobKey(merchantId, id),
    ...update,
    ConditionExpression: 'attribute_not_exists(jobState) OR jobState = :running',
    ExpressionAttributeValues: { ...ExpressionAttributeValues, ':running': 'running' },
  });
  await conditionHolds(documents.send(withdraw));
}

/**
 * Returns the job; undefined if the merchant has none with this id, or it has expired. A job without
 * progress for {@link WORK_STALLED_S} seconds has failed.
 */
export async function getExportJob(merchantId: string, id: string): Promise<ExportJob | undefined> {
  const job = await readExportJob(merchantId, id);
  return job && !job.isExpired ? job : undefined;
}

/** Returns the job as {@link getExportJob} does, also if it has expired and is still stored. */
export async function readExportJob(
  merchantId: string,
  id: string,
): Promise<(ExportJob & { readonly isExpired: boolean }) | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: exportJobKey(merchantId, id),
      ConsistentRead: true,
    }),
  );
  return Item && { ...toJob(Item), isExpired: isExpired(Item) };
}

/** Returns the merchant's newest jobs, at most {@link LISTED_EXPORTS}, the newest first. */
export async function listExportJobs(merchantId: string): Promise<ExportJob[]> {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': partitionKey(merchantId), ':prefix': EXPORT_JOB_PREFIX },
      ConsistentRead: true,
      // Ids sort by the time at which they were created.
      ScanIndexForward: false,
      Limit: LISTED_EXPORTS,
    }),
  );
  return Items.filter((item) => !isExpired(item)).map(toJob);
}

/**
 * Updates a job that runs; the same changes may be applied again.
 *
 * @returns false, and changes nothing, if the job does not run any more: it has ended, is canceled,
 * withdrawn or stalled. What callers have been told of it then stays true.
 */
export async function updateExportJob(
  merchantId: string,
  id: string,
  changes: JobChanges,
): Promise<boolean> {
  const { ExpressionAttributeValues, ...update } = setting(
    toAttributes({ ...changes, updated: new Date().toISOString() }),
  );
  const command = new UpdateCommand({
    TableName: TABLE_NAME,
    Key: exportJobKey(merchantId, id),
    ...update,
    ConditionExpression:
      'jobState IN (:running, :new) AND #updated > :stalled AND #expiresAt > :now',
    ExpressionAttributeValues: {
      ...ExpressionAttributeValues,
      ':running': 'running',
      // The state that an earlier attempt of this update has set, if its response was lost.
      ':new': changes.state ?? 'running',
      ':stalled': stalledBefore(),
      ':now': nowS(),
    },
  });
  return conditionHolds(documents.send(command));
}

/** Returns the part of an update that sets these attributes. */
function setting(values: Readonly<Record<string, unknown>>) {
  const names = Object.keys(values);
  return {
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    // Some of the names are reserved words of DynamoDB.
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

/** Returns the time after which a running job must have been updated. */
function stalledBefore(): string {
  return new Date(Date.now() - WORK_STALLED_S * 1_000).toISOString();
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

function toJob(item: Readonly<Record<string, unknown>>): ExportJob {
  const { sk, jobState, format, objectKey, filename, contentType } = item;
  const { rowsDone, rowsExpected, changesFrom, started, updated, bytes, reason } = item;
  const isStalled = jobState === 'running' && (updated as string) <= stalledBefore();
  return {
    id: (sk as string).slice(EXPORT_JOB_PREFIX.length),
    state: isStalled ? 'failed' : jobState,
    format,
    file: { key: objectKey, filename, contentType },
    rowsDone,
    rowsExpected,
    changesFrom,
    started,
    updated,
    bytes,
    reason: isStalled ? STALLED : reason,
  } as ExportJob;
}
