import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { LocalStack } from '../../infra/local/stack.ts';
import { variedCustomer } from '../../infra/local/varied-customers.ts';
import { writeItems } from '../../infra/local/write-items.ts';
import type { CustomerFields } from '../../shared/domain/customer.ts';
import {
  type IndexedAttributes,
  toSearchAttributes,
} from '../../shared/domain/search-attributes.ts';
import { toItem } from '../../shared/storage/customer-item.ts';
import { formatChanges } from '../../shared/storage/log-entries.ts';
import { SnapshotWriter } from '../../shared/storage/snapshots/snapshot-writer.ts';
import {
  changeLogEntryKey,
  changeLogHeadKey,
  RECORDER_KEY,
  snapshotKey,
} from '../../shared/storage/table.ts';

/** Customers that changed after the snapshot, and that were created after it. */
const CHANGED = 20;
const NEWER = 20;
/** Customers with long texts, whose entries fill more than one page of the index. */
const FIRST = 1_500;
const LONG_TEXT = 'x'.repeat(240);
const HOUR_MS = 60 * 60_000;

/** A customer whom a search for this name finds, and nobody else. */
export const RARE_NAME = 'Xquzhw';

/**
 * Creates a merchant with very many customers: they are in a snapshot, and of them in the table those
 * that calls read: the first ones, those that changed, the newest, and one with a rare name.
 *
 * @param distinct how many customers of the snapshot differ, for tests that are not about its size: most
 * of the time goes into what each is searched by. All, if not given.
 */
export async function createLargeMerchant(
  {
    dynamodbEndpoint,
    ownsDatabase,
    s3Endpoint,
    bucket,
    table,
  }: Pick<LocalStack, 'dynamodbEndpoint' | 'ownsDatabase' | 's3Endpoint' | 'bucket' | 'table'>,
  merchantId: string,
  customers: number,
  distinct?: number,
): Promise<{
  readonly fileBytes: number;
  readonly headBytes: number;
  /** Ids of the customers that changed. */
  readonly changed: readonly number[];
}> {
  const date = new Date(Date.now() - HOUR_MS).toISOString();
  const rare = Math.floor(customers / 2);
  const fieldsOf = (id: number): CustomerFields => {
    if (id <= FIRST) return { name: LONG_TEXT, address: LONG_TEXT, postoffice: LONG_TEXT };
    return { ...variedCustomer(id), ...(id === rare && { name: RARE_NAME }) };
  };
  const attributesOf = (id: number): IndexedAttributes => {
    const { identityNumber, ...attributes } = toSearchAttributes({ date }, fieldsOf(id));
    return attributes;
  };
  const repeated = Array.from({ length: distinct ?? 0 }, (_, index) =>
    attributesOf(FIRST + 1 + index),
  );
  const writer = new SnapshotWriter();
  for (let id = 1; id <= customers; id += 1) {
    const isAlone = !distinct || id <= FIRST || id === rare;
    const attributes = isAlone ? attributesOf(id) : repeated[id % distinct];
    writer.add([{ id, ...(attributes as IndexedAttributes) }]);
  }
  const file = writer.finish();
  const key = `snapshots/${merchantId}/${crypto.randomUUID()}`;
  const s3 = new S3Client({ endpoint: s3Endpoint, forcePathStyle: true });
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.concat(file.chunks) }),
  );
  s3.destroy();

  const client = new DynamoDBClient({ endpoint: dynamodbEndpoint });
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  });
  const put = (Item: Record<string, unknown>) =>
    documents.send(new PutCommand({ TableName: table, Item }));
  const changed = Array.from({ length: CHANGED }, (_, index) =>
    Math.floor(FIRST + 1 + ((customers - FIRST - 1) * index) / CHANGED),
  );
  const ids = new Set([
    ...Array.from({ length: FIRST }, (_, index) => index + 1),
    ...changed,
    rare,
    ...Array.from({ length: NEWER }, (_, index) => customers + 1 + index),
  ]);
  const written = [...ids];
  const itemOf = (index: number) => {
    const id = written[index] as number;
    return toItem(merchantId, {
      system: { mexcParamvaluesetsid: id, date },
      fields: fieldsOf(id),
      version: 1,
      updated: date,
    });
  };
  await writeItems({ dynamodbEndpoint, table }, written.length, itemOf, ownsDatabase);
  // One entry for each change, as of changes that are minutes apart.
  for (const [entry, id] of changed.entries()) {
    const changedIds = formatChanges([{ kind: 'M', id }]);
    await put({ ...changeLogEntryKey(merchantId, entry), changedIds, recordedAt: Date.now() });
  }
  await put({ ...changeLogHeadKey(merchantId), nextChange: changed.length, marks: [] });
  await put({
    ...snapshotKey(merchantId),
    snapshotKey: key,
    headBytes: file.headBytes,
    snapshotBytes: file.bytes,
    snapshotCustomers: file.count,
    lastSnapshotId: file.lastId,
    logEntry: 0,
    builtMs: Date.now(),
    readFromIndexMs: Date.now(),
    claimedUntilMs: Date.now() + HOUR_MS,
  });
  await put({ ...RECORDER_KEY, heartbeatMs: Date.now() + HOUR_MS });
  client.destroy();
  return { fileBytes: file.bytes, headBytes: file.headBytes, changed };
}
