import type { Readable } from 'node:stream';
import {
  BatchGetItemCommand,
  type KeysAndAttributes,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { RowFormat } from '../../formats/row-format.ts';
import { batchGet } from '../batch-get.ts';
import { dynamodb, TABLE_NAME } from '../dynamodb.ts';
import { rawCustomerKey } from '../table.ts';
import { type ItemSerializer, itemSerializer, type Rows } from './item-serializer.ts';

/*
 * The fast path of lists and exports: reads customers and serializes them as rows of a format,
 * straight from the bytes of DynamoDB's responses, since the SDK's objects take 10 times as long.
 */

export type { Rows };

/** Rows that were read, and the read units that they took. */
export interface ReadRows {
  readonly rows: Rows;
  readonly units: number;
}

/** A page of a query. */
export interface QueriedRows extends ReadRows {
  /** Customers that the query evaluated; a filter expression leaves some of them out. */
  readonly scanned: number;
  readonly next: QueryCommandOutput['LastEvaluatedKey'];
}

/** Queries a page of customers, serialized as rows. */
export async function queryRows(
  query: Omit<QueryCommandInput, 'TableName'>,
  format: RowFormat,
): Promise<QueriedRows> {
  const command = new QueryCommand({
    TableName: TABLE_NAME,
    ReturnConsumedCapacity: 'TOTAL',
    ...query,
  });
  const rows = tapRows(command, 'Items', format);
  const { ScannedCount = 0, LastEvaluatedKey, ConsumedCapacity } = await dynamodb.send(command);
  const units = ConsumedCapacity?.CapacityUnits ?? 0;
  return { rows: rows(), units, scanned: ScannedCount, next: LastEvaluatedKey };
}

/**
 * Returns the rows of a batch of customers in the order of the ids; absent customers are skipped.
 *
 * @throws UnavailableError if the table stays throttled.
 */
export async function getRows(
  merchantId: string,
  ids: readonly number[],
  format: RowFormat,
  isConsistent: boolean,
): Promise<ReadRows> {
  const found = new Map<number, Buffer>();
  let units = 0;
  const Keys = ids.map((id) => rawCustomerKey(merchantId, id));
  const keys: KeysAndAttributes = { Keys, ConsistentRead: isConsistent };
  await batchGet(keys, async (wanted) => {
    const command = new BatchGetItemCommand({
      RequestItems: { [TABLE_NAME]: wanted },
      ReturnConsumedCapacity: 'TOTAL',
    });
    const rows = tapRows(command, TABLE_NAME, format);
    const { Responses, UnprocessedKeys, ConsumedCapacity } = await dynamodb.send(command);
    units += ConsumedCapacity?.[0]?.CapacityUnits ?? 0;
    // A response need not name a table of which it has no items.
    if (Responses?.[TABLE_NAME]) {
      for (const [id, row] of eachRow(rows())) found.set(id, row);
    }
    return UnprocessedKeys?.[TABLE_NAME];
  });
  return { rows: joinRows(inOrder(found, ids)), units };
}

/** Returns rows of which some are left out. */
export function selectRows(rows: Rows, isWanted: (id: number) => boolean): Rows {
  return rows.ids.every(isWanted) ? rows : joinRows(eachRow(rows).filter(([id]) => isWanted(id)));
}

/** Returns all rows as one, by ascending id. */
export function mergeRows(parts: readonly Rows[]): Rows {
  if (parts.length === 1) return parts[0] as Rows;
  return joinRows(parts.flatMap(eachRow).sort(([a], [b]) => a - b));
}

/** Returns rows in the order of the ids; ids without a row are skipped. */
export function orderRows(rows: Rows, ids: readonly number[]): Rows {
  return joinRows(inOrder(new Map(eachRow(rows)), ids));
}

function inOrder(rows: ReadonlyMap<number, Buffer>, ids: readonly number[]): [number, Buffer][] {
  return ids.filter((id) => rows.has(id)).map((id) => [id, rows.get(id) as Buffer]);
}

/** Returns all rows as one, one part after the other. */
export function concatRows(parts: readonly Rows[]): Rows {
  if (parts.length === 1) return parts[0] as Rows;
  let length = 0;
  const ends = parts.flatMap(({ text, ends }) => {
    const start = length;
    length += text.length;
    return ends.map((end) => start + end);
  });
  const text = Buffer.concat(parts.map(({ text }) => text));
  return { text, ids: parts.flatMap(({ ids }) => ids), ends };
}

function joinRows(rows: readonly (readonly [id: number, row: Buffer])[]): Rows {
  let length = 0;
  const ends = rows.map(([, row]) => {
    length += row.length;
    return length;
  });
  return {
    text: Buffer.concat(
      rows.map(([, row]) => row),
      length,
    ),
    ids: rows.map(([id]) => id),
    ends,
  };
}

function eachRow({ text, ids, ends }: Rows): [id: number, row: Buffer][] {
  return ids.map((id, index) => [id, text.subarray(ends[index - 1] ?? 0, ends[index])]);
}

/** A serializer per format, since making one costs more than serializing a few rows. */
const serializers = new WeakMap<RowFormat, ItemSerializer>();

function serializerOf(format: RowFormat): ItemSerializer {
  const serializer = serializers.get(format) ?? itemSerializer(format);
  serializers.set(format, serializer);
  return serializer;
}

/** A response of the SDK's HTTP client. */
interface DynamoDbResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: Readable | Buffer;
}

/**
 * Adds middleware to a command that serializes the items in its response, and leaves an empty list
 * for the SDK's deserializer. Keys, errors, retries, time-outs and signing stay the SDK's.
 *
 * @param list name of the list of items in the response.
 * @returns a function that returns the rows after the command was sent.
 */
function tapRows(
  { middlewareStack }: QueryCommand | BatchGetItemCommand,
  list: string,
  format: RowFormat,
): () => Rows {
  const serialize = serializerOf(format);
  let rows: Rows | undefined;
  (middlewareStack as QueryCommand['middlewareStack']).add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as DynamoDbResponse;
      if (response.statusCode === 200) {
        const bytes = await bytesOf(
          response.body as Readable,
          Number(response.headers['content-length'] ?? 0),
        );
        const extracted =
          extractList(bytes, list, serialize) ?? extractList(compact(bytes), list, serialize);
        rows = extracted?.rows;
        response.body = extracted?.rest ?? Buffer.from(bytes);
        release(bytes);
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'tapRows' },
  );
  return () => {
    if (!rows) throw new Error(`DynamoDB's response has no list ${list}`);
    return rows;
  };
}

/**
 * Memory of processed responses, for reuse: an export reads a thousand pages, and allocating each
 * keeps the garbage collector busy (a tenth of the time of an export).
 */
const spare: ArrayBuffer[] = [];
/** A page of a query needs less than this; memory of larger responses is not reused. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

async function bytesOf(body: Readable, expectedLength: number): Promise<Buffer> {
  let memory = Buffer.from(spare.pop() ?? new ArrayBuffer(expectedLength));
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (length + chunk.length > memory.length) {
      const larger = Buffer.from(
        new ArrayBuffer(Math.max(expectedLength, 2 * (length + chunk.length))),
      );
      memory.copy(larger, 0, 0, length);
      memory = larger;
    }
    length += chunk.copy(memory, length);
  }
  return memory.subarray(0, length);
}

function release({ buffer }: Buffer): void {
  if (buffer.byteLength <= MAX_SPARE_BYTES) spare.push(buffer as ArrayBuffer);
}

/**
 * Extracts and serializes the list of items in a response.
 *
 * @returns undefined if there is none, or if the JSON has white space between its tokens.
 */
function extractList(response: Buffer, list: string, serialize: ItemSerializer) {
  // Inside a string its quotes would be escaped.
  const name = `"${list}":`;
  const at = response.indexOf(`${name}[`);
  if (at < 0) return undefined;
  const start = at + name.length;
  try {
    const rows = serialize(response, start);
    return {
      rows,
      rest: Buffer.concat([response.subarray(0, start), EMPTY, response.subarray(rows.end)]),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const EMPTY = Buffer.from('[]');

/** DynamoDB sends no white space between tokens; other servers may. */
function compact(response: Buffer): Buffer {
  return Buffer.from(JSON.stringify(JSON.parse(response.toString())));
}
