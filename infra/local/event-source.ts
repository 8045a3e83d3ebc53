import { setTimeout } from 'node:timers/promises';
import type { DynamoDBRecord } from 'aws-lambda';
import { requestDynamoDb } from './dynamodb-request.ts';
import type { Invoke } from './lambda.ts';

/**
 * Time between two calls of GetRecords; Lambda's base rate is 4 a second. A batch for each write, as
 * without it, takes as many requests as the writes themselves.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
const POLL_MS = 200;
/** Wait after a failed batch; it doubles up to the maximum. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

export interface EventSourceOptions {
  /** URL of the DynamoDB server, which has the table's stream as well. */
  readonly endpoint: string;
  readonly table: string;
  /** Calls a function. */
  readonly invoke: Invoke;
  /** Name of the function that gets the records. */
  readonly functionName: string;
  /** Sort key prefixes of the items whose records it gets: the filters of the event source mapping. */
  readonly sortKeyPrefixes: readonly string[];
  /** Returns the position up to which the records are processed, and stores it. */
  readonly checkpoint: {
    load(): Promise<string | undefined>;
    save(position: string): Promise<void>;
  };
}

interface GetRecordsOutput {
  readonly Records: readonly DynamoDBRecord[];
  readonly NextShardIterator?: string;
}

/**
 * Invokes a function with the records of a table's stream in their order, as Lambda's event source
 * mapping does: a batch that fails is retried, from the record on that the function returns.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** Stops after the batch in progress. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; !this.#ending.signal.aborted; ) {
      try {
        await this.#readShards();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        console.warn(`Records of ${this.#options.table} are retried: ${(error as Error).message}`);
        await this.#wait(retryMs);
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      }
    }
  }

  /** Reads the shards one after the other: a parent is listed before its children. */
  async #readShards(): Promise<void> {
    const { Streams } = await this.#call('ListStreams', { TableName: this.#options.table });
    const StreamArn = Streams.at(-1)?.StreamArn;
    if (!StreamArn) throw new Error('The table has no stream.');
    const { StreamDescription } = await this.#call('DescribeStream', { StreamArn });
    const saved = await this.#options.checkpoint.load();
    const [savedShard, savedNumber] = saved?.split(' ') ?? [];
    const ids: string[] = StreamDescription.Shards.map(({ ShardId }: never) => ShardId);
    for (const ShardId of ids.slice(Math.max(0, ids.indexOf(savedShard ?? '')))) {
      const start =
        ShardId === savedShard
          ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: savedNumber }
          : { ShardIteratorType: 'TRIM_HORIZON' };
      const iterator = await this.#call('GetShardIterator', { StreamArn, ShardId, ...start });
      await this.#readShard(ShardId, iterator.ShardIterator);
    }
  }

  async #readShard(shardId: string, first: string): Promise<void> {
    let ShardIterator: string | undefined = first;
    while (ShardIterator && !this.#ending.signal.aborted) {
      const started = performance.now();
      const output: GetRecordsOutput = await this.#call('GetRecords', { ShardIterator });
      const { Records, NextShardIterator } = output;
      await this.#process(shardId, Records);
      const left = POLL_MS - (performance.now() - started);
      if (left > 0) await this.#wait(left);
      ShardIterator = NextShardIterator;
    }
  }

  async #process(shardId: string, batch: readonly DynamoDBRecord[]): Promise<void> {
    const { functionName, sortKeyPrefixes, invoke, checkpoint } = this.#options;
    const wanted = batch.filter(({ dynamodb }) =>
      sortKeyPrefixes.some((prefix) => dynamodb?.Keys?.sk?.S?.startsWith(prefix)),
    );
    const result =
      wanted.length > 0
        ? ((await invoke(functionName, { Records: wanted })) as {
            batchItemFailures: readonly { itemIdentifier: string }[];
          })
        : undefined;
    const failed = result?.batchItemFailures[0]?.itemIdentifier;
    const numbers = batch.map(({ dynamodb }) => dynamodb?.SequenceNumber ?? '');
    // A number that no record has fails the whole batch.
    const done =
      failed === undefined ? numbers : numbers.slice(0, Math.max(0, numbers.indexOf(failed)));
    const last = done.at(-1);
    if (last !== undefined) await checkpoint.save(`${shardId} ${last}`);
    if (failed !== undefined) throw new Error(`${functionName} failed from record ${failed} on.`);
  }

  #call(operation: string, input: object) {
    const { endpoint } = this.#options;
    return requestDynamoDb(endpoint, `DynamoDBStreams_20120810.${operation}`, input, {
      signal: this.#ending.signal,
    });
  }

  async #wait(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
