import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  type KeysAndAttributes,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { unavailable } from '../../http/problem-details.ts';
import { rawCustomerKey } from '../customer-item.ts';
import { dynamodb, TABLE_NAME } from '../dynamodb.ts';
import type { Rows, RowWriter } from './item-serializer.ts';

/** DynamoDB's limit for one BatchGetItem. */
const MAX_BATCH = 100;
/** Keys left over by a throttled table are asked for again, after waits that double. */
const MAX_TRIES = 7;
const FIRST_WAIT_MS = 50;

/** Queries a page of customers' items and writes them as rows. */
export async function queryRows(
  query: Omit<QueryCommandInput, 'TableName'>,
  write: RowWriter,
): Promise<{ rows: Rows; next: QueryCommandOutput['LastEvaluatedKey'] }> {
  const command = new QueryCommand({ TableName: TABLE_NAME, ...query });
  const rows = rowsOf(command, 'Items', write);
  const { LastEvaluatedKey } = await dynamodb.send(command);
  return { rows: rows(), next: LastEvaluatedKey };
}

/**
 * Rows of at most {@link MAX_BATCH} customers, in the order of the ids, read consistently; absent
 * ones are left out.
 *
 * @throws Problem 503 where the table stays throttled.
 */
export async function getRows(
  merchant: string,
  ids: readonly number[],
  write: RowWriter,
): Promise<{ text: Buffer; count: number }> {
  const found = new Map<number, Buffer>();
  let wanted: KeysAndAttributes | undefined = {
    Keys: ids.map((id) => rawCustomerKey(merchant, id)),
    ConsistentRead: true,
  };
  for (let attempt = 0; wanted?.Keys?.length; attempt += 1) {
    if (attempt === MAX_TRIES) throw unavailable();
    if (attempt > 0) await setTimeout(FIRST_WAIT_MS * 2 ** attempt * Math.random());
    const command: BatchGetItemCommand = new BatchGetItemCommand({
      RequestItems: { [TABLE_NAME]: wanted },
    });
    const rows = rowsOf(command, TABLE_NAME, write);
    const answer: BatchGetItemCommandOutput = await dynamodb.send(command);
    // An answer need not name a table of which it has nothing.
    if (answer.Responses?.[TABLE_NAME]) {
      for (const [id, row] of eachRow(rows())) found.set(id, row);
    }
    wanted = answer.UnprocessedKeys?.[TABLE_NAME];
  }
  const inOrder = ids.flatMap((id) => found.get(id) ?? []);
  return { text: Buffer.concat(inOrder), count: inOrder.length };
}

/** Ids in batches that {@link getRows} takes. */
export async function* inBatches(
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
): AsyncGenerator<number[]> {
  for await (const ids of pages) {
    for (let from = 0; from < ids.length; from += MAX_BATCH) {
      yield ids.slice(from, from + MAX_BATCH);
    }
  }
}

function eachRow({ text, ids, ends }: Rows): [id: number, row: Buffer][] {
  return ids.map((id, index) => [id, text.subarray(ends[index - 1] ?? 0, ends[index])]);
}

/** As it comes from the SDK's HTTP client. */
interface DynamoDbResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: Readable | Buffer;
}

/**
 * Makes the SDK pass over the items in a command's answer, and writes them as rows instead. This
 * hooks in beneath the SDK's deserializer, which then sees an answer whose list of items is empty,
 * so that keys, errors, retries, time-outs and signing stay the SDK's.
 *
 * @param list name of the list of items in the answer.
 * @returns gives the rows, once the command was sent.
 */
function rowsOf(
  { middlewareStack }: QueryCommand | BatchGetItemCommand,
  list: string,
  write: RowWriter,
): () => Rows {
  let rows: Rows | undefined;
  (middlewareStack as QueryCommand['middlewareStack']).add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as DynamoDbResponse;
      if (response.statusCode === 200) {
        const answer = await bytesOf(
          response.body as Readable,
          Number(response.headers['content-length'] ?? 0),
        );
        const cut = cutList(answer, list, write) ?? cutList(compact(answer), list, write);
        rows = cut?.rows;
        response.body = cut?.rest ?? Buffer.from(answer);
        giveBack(answer);
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'writeRows' },
  );
  return () => {
    if (!rows) throw new Error(`DynamoDB's answer has no list ${list}`);
    return rows;
  };
}

/**
 * Memory of answers that are done with, for the next ones: an export reads a thousand pages, and
 * new memory for each keeps the garbage collector busy (a tenth of the time an export takes).
 */
const spare: ArrayBuffer[] = [];
/** A page of a query takes less than this; memory of larger answers is not kept. */
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

function giveBack({ buffer }: Buffer): void {
  if (buffer.byteLength <= MAX_SPARE_BYTES) spare.push(buffer as ArrayBuffer);
}

/**
 * Takes the list out of an answer.
 *
 * @returns undefined where it is not there, or not written in the compact way.
 */
function cutList(answer: Buffer, list: string, write: RowWriter) {
  // Inside a text its quotes would be escaped.
  const name = `"${list}":`;
  const at = answer.indexOf(`${name}[`);
  if (at < 0) return undefined;
  const start = at + name.length;
  try {
    const rows = write(answer, start);
    return {
      rows,
      rest: Buffer.concat([answer.subarray(0, start), EMPTY, answer.subarray(rows.end)]),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const EMPTY = Buffer.from('[]');

/** DynamoDB writes no white space, and other servers need not either, but may. */
function compact(answer: Buffer): Buffer {
  return Buffer.from(JSON.stringify(JSON.parse(answer.toString())));
}
