import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Store, StoreItem, StoreTable } from 'dynalite/db/index.js';

// dynalite lacks DynamoDB Streams. Here each table has one, of keys only, with a single shard.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html

const TARGET = 'DynamoDBStreams_20120810.';
const SHARD = 'shardId-00000000000000000000-00000000';
/** How long records are kept, as on AWS. */
const RETENTION_MS = 24 * 60 * 60 * 1_000;
/** Maximum records of a response, as on AWS. */
const MAX_RECORDS = 1_000;
/** How long GetRecords waits for the next record. On AWS it returns at once. */
const MAX_WAIT_MS = 1_000;
const DIGITS = 16;

/** A change of an item, as it is stored. */
interface StreamRecord {
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly keys: Readonly<Record<string, unknown>>;
  /** In milliseconds since 1970. */
  readonly atMs: number;
}

/** An item that is put, or deleted if `item` is null. */
export interface ItemChange {
  readonly table: StoreTable;
  readonly existing: StoreItem | undefined;
  readonly item: StoreItem | null;
}

/**
 * The streams of a dynalite store. A record is written in the same atomic batch as its item, so that
 * no crash leaves one without the other.
 */
export class DynamoDbStreams {
  #store: Store | undefined;
  #lastNumber = 0;
  /** Numbers of batches under way, which readers do not pass. */
  readonly #pending = new Set<number>();
  #waiting: (() => void)[] = [];

  /** Continues the streams of a store, without the records that have expired. */
  async open(store: Store): Promise<void> {
    this.#store = store;
    const all = { gt: 'stream~', lt: 'stream~~' };
    for await (const [key, record] of store.db.iterator<StreamRecord>(all)) {
      this.#lastNumber = Math.max(this.#lastNumber, numberIn(key));
      if (record.atMs < Date.now() - RETENTION_MS) await store.db.del(key);
    }
  }

  /**
   * Executes LevelDB writes and adds the records of what they change. Call it while the items are
   * locked, so that the records of an item are in the order of its writes.
   */
  async write(writes: readonly object[], changes: readonly ItemChange[]): Promise<void> {
    const numbers = changes.map(() => ++this.#lastNumber);
    for (const number of numbers) this.#pending.add(number);
    const records = changes.map((change, index) => ({
      type: 'put',
      key: recordKey(change.table.TableName, numbers[index] as number),
      value: toRecord(change),
    }));
    try {
      await this.#store?.db.batch([...writes, ...records]);
    } finally {
      for (const number of numbers) this.#pending.delete(number);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** Returns the records of a table after a number; waits for one if there is none. */
  async read(table: string, after: number): Promise<[number, StreamRecord][]> {
    const records = await this.#readNow(table, after);
    if (records.length > 0) return records;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(resolve, MAX_WAIT_MS).unref();
    });
    return this.#readNow(table, after);
  }

  async #readNow(table: string, after: number): Promise<[number, StreamRecord][]> {
    const end = Math.min(...this.#pending, this.#lastNumber + 1);
    const range = { gt: recordKey(table, after), lt: recordKey(table, end), limit: MAX_RECORDS };
    const records: [number, StreamRecord][] = [];
    if (!this.#store || end <= after) return records;
    for await (const [key, record] of this.#store.db.iterator<StreamRecord>(range)) {
      records.push([numberIn(key), record]);
    }
    return records;
  }
}

/** Adds the operations of DynamoDB Streams to a server. */
export function serveStreams(server: Server, streams: DynamoDbStreams): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const target = String(request.headers['x-amz-target']);
    if (!target.startsWith(TARGET)) {
      for (const listener of listeners) listener.call(server, request, response);
      return;
    }
    respond(streams, target.slice(TARGET.length), request).then(
      (body) => send(response, 200, body),
      (error: Error) =>
        send(response, 400, { __type: 'ValidationException', message: error.message }),
    );
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}

async function respond(
  streams: DynamoDbStreams,
  operation: string,
  request: IncomingMessage,
): Promise<object> {
  const input = JSON.parse((await buffer(request)).toString());
  switch (operation) {
    case 'ListStreams':
      return { Streams: [{ StreamArn: streamArn(input.TableName), TableName: input.TableName }] };
    case 'DescribeStream':
      return { StreamDescription: { StreamArn: input.StreamArn, Shards: [{ ShardId: SHARD }] } };
    case 'GetShardIterator':
      return { ShardIterator: `${tableIn(input.StreamArn)}/${Number(input.SequenceNumber ?? 0)}` };
    case 'GetRecords': {
      const [table = '', after] = String(input.ShardIterator).split('/');
      const records = await streams.read(table, Number(after));
      const last = records.at(-1)?.[0] ?? after;
      return { Records: records.map(toApi), NextShardIterator: `${table}/${last}` };
    }
    default:
      throw new Error(`The local DynamoDB Streams do not support ${operation}.`);
  }
}

function toRecord({ table, existing, item }: ItemChange): StreamRecord {
  const names = table.KeySchema.map(({ AttributeName }) => AttributeName);
  return {
    eventName: !existing ? 'INSERT' : item ? 'MODIFY' : 'REMOVE',
    keys: Object.fromEntries(names.map((name) => [name, (item ?? existing)?.[name]])),
    atMs: Date.now(),
  };
}

function toApi([number, { eventName, keys, atMs }]: [number, StreamRecord]): object {
  return {
    eventID: String(number),
    eventName,
    eventSource: 'aws:dynamodb',
    dynamodb: {
      Keys: keys,
      SequenceNumber: String(number).padStart(DIGITS, '0'),
      StreamViewType: 'KEYS_ONLY',
      ApproximateCreationDateTime: Math.floor(atMs / 1_000),
    },
  };
}

function streamArn(table: string): string {
  return `arn:aws:dynamodb:local:000000000000:table/${table}/stream/1`;
}

function tableIn(arn: string): string {
  return arn.split('/')[1] ?? '';
}

/** No key of dynalite begins with `stream~`. */
function recordKey(table: string, number: number): string {
  return `stream~${table}~${String(number).padStart(DIGITS, '0')}`;
}

function numberIn(key: string): number {
  return Number(key.slice(-DIGITS));
}
