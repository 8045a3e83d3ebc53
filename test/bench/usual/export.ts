import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BatchGetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { FIELDS } from '../../../shared/domain/fields.ts';
import { type Item, idsSchema, keyOf } from './customer.ts';
import { documents, TABLE_NAME, tracer, usualEndpoint } from './endpoint.ts';

// An export the usual way: pages of the document client, streamed to lib-storage.

/** A file format and its writer. */
export interface UsualFormat {
  readonly contentType: string;
  readonly extension: string;
  /** Returns the content of the file for a stream of customers. */
  readonly write: (customers: AsyncIterable<Item>) => Readable;
}

export const FIELD_NAMES = FIELDS.map(({ name }) => name);
const INTEGERS = FIELDS.filter(({ type }) => type === 'integer').map(({ name }) => name);

const BUCKET_NAME = process.env.BUCKET_NAME as string;
const LIFETIME_S = 900;
const MAX_BATCH = 100;
const IdsSchema = idsSchema(10_000);

const s3 = tracer.captureAWSv3Client(new S3Client({}));

/** Creates a handler that exports all customers, or those with the ids in the body. */
export function usualExport({ contentType, extension, write }: UsualFormat) {
  return usualEndpoint(async ({ body }, merchant) => {
    let count = 0;
    async function* customers() {
      const items = body
        ? customersById(merchant, IdsSchema.parse(JSON.parse(body)))
        : allCustomers(merchant);
      for await (const item of items) {
        count += 1;
        for (const name of INTEGERS) item[name] ??= 0;
        yield item;
      }
    }
    const Key = `exports/${merchant}/${randomUUID()}.${extension}`;
    const filename = `customers-${new Date().toISOString().slice(0, 10)}.${extension}`;
    let bytes = 0;
    const file = write(customers());
    const upload = new Upload({
      client: s3,
      params: {
        Bucket: BUCKET_NAME,
        Key,
        Body: file,
        ContentType: contentType,
        ContentDisposition: `attachment; filename="${filename}"`,
        CacheControl: 'private, no-store',
      },
    });
    upload.on('httpUploadProgress', ({ loaded = 0 }) => {
      bytes = loaded;
    });
    await upload.done();
    const expires = new Date(Date.now() + LIFETIME_S * 1_000).toISOString();
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET_NAME, Key }), {
      expiresIn: LIFETIME_S,
    });
    return { url, expires, filename, contentType, count, bytes };
  });
}

async function* allCustomers(merchant: string): AsyncGenerator<Item> {
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: TABLE_NAME,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': `MERCHANT#${merchant}`, ':prefix': 'CUSTOMER#' },
    },
  );
  for await (const { Items = [] } of pages) yield* Items;
}

async function* customersById(merchant: string, ids: readonly number[]): AsyncGenerator<Item> {
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  for (let from = 0; from < sorted.length; from += MAX_BATCH) {
    const Keys = sorted.slice(from, from + MAX_BATCH).map((id) => keyOf(merchant, id));
    const { Responses } = await documents.send(
      new BatchGetCommand({ RequestItems: { [TABLE_NAME]: { Keys, ConsistentRead: true } } }),
    );
    const items = Responses?.[TABLE_NAME] ?? [];
    yield* items.sort((a, b) => (a.sk < b.sk ? -1 : 1));
  }
}
