import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListObjectsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { expect, vi } from 'vitest';
import { seedCustomers } from '../../infra/local/seed-customers.ts';
import type { LocalStack } from '../../infra/local/stack.ts';
import type { Customer, CustomerFields } from '../../shared/domain/customer.ts';
import { changeLogHeadKey, RECORDER_KEY, snapshotKey } from '../../shared/storage/table.ts';

/** More than the margin by which a snapshot is older than its building. */
const LONG_AGO_MS = 10 * 60_000;

/** Calls `work` at a time in the past, as the clock of this process has it. */
export async function longAgo<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - LONG_AGO_MS });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

/** Snapshots of the merchants of a stack. */
export class Snapshots {
  readonly #stack: LocalStack;
  readonly #documents: DynamoDBDocumentClient;

  constructor(stack: LocalStack) {
    this.#stack = stack;
    const client = new DynamoDBClient({ endpoint: stack.dynamodbEndpoint });
    this.#documents = DynamoDBDocumentClient.from(client);
  }

  /** Writes customers and builds their snapshot, as if both had been long ago. */
  async seed(merchantId: string, fields: readonly CustomerFields[]): Promise<Customer[]> {
    const customers = await longAgo(async () => {
      const seeded = await seedCustomers(this.#stack, merchantId, fields);
      await this.recorded(merchantId, fields.length);
      return seeded;
    });
    await this.build(merchantId);
    return customers;
  }

  /** Waits until so many changes are recorded. */
  recorded(merchantId: string, changes: number): Promise<void> {
    return vi.waitFor(
      async () => {
        const key = changeLogHeadKey(merchantId);
        const { Item } = await this.#documents.send(
          new GetCommand({ TableName: this.#stack.table, Key: key, ConsistentRead: true }),
        );
        expect(Item?.nextChange).toBeGreaterThanOrEqual(changes);
      },
      { timeout: 50_000, interval: 100 },
    );
  }

  /**
   * Builds the snapshot, whether one was built lately or not, and returns the item that points to it when
   * a heartbeat has come, so that searches use it.
   */
  async build(merchantId: string): Promise<Record<string, unknown>> {
    await this.change(merchantId, { claimedUntilMs: 0 });
    const { handler } = await import('../../functions/build-snapshot/handler.ts');
    await handler({ merchantId });
    await vi.waitFor(
      async () => {
        const { heartbeatMs } = await this.item(RECORDER_KEY);
        expect(heartbeatMs).toBeGreaterThan(Date.now() - 60_000);
      },
      { timeout: 50_000, interval: 20 },
    );
    return this.pointer(merchantId);
  }

  pointer(merchantId: string): Promise<Record<string, unknown>> {
    return this.item(snapshotKey(merchantId));
  }

  /** Returns an item of the table; an empty one if there is none. */
  async item(Key: { pk: string; sk: string }): Promise<Record<string, unknown>> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#stack.table, Key, ConsistentRead: true }),
    );
    return Item ?? {};
  }

  /** Sets attributes of the item that points to the snapshot, or of another. */
  async change(
    merchantId: string,
    values: Readonly<Record<string, unknown>>,
    Key: { pk: string; sk: string } = snapshotKey(merchantId),
  ): Promise<void> {
    const names = Object.keys(values);
    await this.#documents.send(
      new UpdateCommand({
        TableName: this.#stack.table,
        Key,
        UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
        ExpressionAttributeValues: Object.fromEntries(
          names.map((name) => [`:${name}`, values[name]]),
        ),
      }),
    );
  }

  async forget(merchantId: string): Promise<void> {
    const Key = snapshotKey(merchantId);
    await this.#documents.send(new DeleteCommand({ TableName: this.#stack.table, Key }));
  }
}

/** Returns a file of the stack's bucket. */
export async function readObject({ s3Endpoint, bucket }: LocalStack, key: string): Promise<Buffer> {
  const client = new S3Client({ endpoint: s3Endpoint, forcePathStyle: true });
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  client.destroy();
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Returns the keys of the stack's files that begin with a prefix. */
export async function objectKeys(
  { s3Endpoint, bucket }: LocalStack,
  prefix: string,
): Promise<string[]> {
  const client = new S3Client({ endpoint: s3Endpoint, forcePathStyle: true });
  const { Contents = [] } = await client.send(
    new ListObjectsCommand({ Bucket: bucket, Prefix: prefix }),
  );
  client.destroy();
  return Contents.map(({ Key }) => Key ?? '');
}

/** Replaces a file of the stack's bucket. */
export async function writeObject(
  { s3Endpoint, bucket }: LocalStack,
  key: string,
  content: Buffer,
): Promise<void> {
  const client = new S3Client({ endpoint: s3Endpoint, forcePathStyle: true });
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
  client.destroy();
}
