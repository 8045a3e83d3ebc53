import { setTimeout } from 'node:timers/promises';
import { mapConcurrently } from '../concurrency.ts';
import type { Customer, CustomerFields, SystemFields } from '../domain/customer.ts';
import { UnavailableError } from '../domain/errors.ts';
import { customerPut, nextIds, type References, unstored } from './create-customer.ts';
import { findFirstRequest, idempotencyPut, isChunkStored, storedChunkPut } from './idempotency.ts';
import { type TransactionItem, writeTogether } from './write-together.ts';

/** Customers of a transaction: DynamoDB takes 100 items, and one is that of the idempotency key. */
const MAX_CHUNK = 99;
/**
 * Bytes of a transaction. DynamoDB takes 4 MB, but these would be 8,000 write units at once, and a
 * partition has 1,000 a second.
 */
const MAX_CHUNK_BYTES = 400_000;
/** Transactions under way at a time; more would sooner be throttled. */
const CONCURRENCY = 3;
/** Attempts to store the first chunk. */
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 100;
/** When to stop waiting for the table, so that the function responds before its 29 seconds end. */
const DEADLINE_MS = 22_000;

/** What became of each customer, in order: it is stored, or the reason why that is not known. */
type CreationResults = readonly (Customer | Error)[];

/** Customers that are stored together. */
interface Chunk {
  readonly customers: readonly Customer[];
  readonly puts: readonly TransactionItem[];
}

/**
 * Stores new customers under consecutive ids, with one creation time. With an idempotency key they
 * are stored once for all requests with that key within 24 hours, each of which stores what earlier
 * ones could not, and returns the customers as they were first stored.
 *
 * The customers are stored in chunks, each a transaction. The first has the idempotency record; if it
 * fails, none is stored. Each other has a mark with the key, so that it is stored once: no retry, and
 * no write that arrives late, brings back a customer that was deleted meanwhile.
 *
 * @throws IdempotencyKeyReusedError if the key was used with another body.
 * @throws UnavailableError, or a transient error, if the first chunk is not known to be stored.
 */
export async function createCustomers(
  merchantId: string,
  bodies: readonly CustomerFields[],
  references: References,
  key?: string,
): Promise<CreationResults> {
  const abortSignal = AbortSignal.timeout(DEADLINE_MS);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const first = key === undefined ? undefined : await findFirstRequest(merchantId, key, bodies);
    const system = first?.system ?? {
      ...(await nextIds(merchantId, bodies.length)),
      ...references,
    };
    const customers = numbered(system, bodies);
    const puts = customers.map((customer) => customerPut(merchantId, customer));
    const chunkSizes = first?.chunkSizes ?? sizesOfChunks(puts);
    const [begin, ...rest] = inChunks(chunkSizes, customers, puts) as [Chunk, ...Chunk[]];
    const record =
      key === undefined
        ? []
        : [{ Put: idempotencyPut(merchantId, key, bodies, { system, chunkSizes }) }];
    if (first || (await writeTogether([...begin.puts, ...record], abortSignal))) {
      const write = (chunk: Chunk) => writeChunk(merchantId, chunk, abortSignal, key, !!first);
      return [...begin.customers, ...(await writeEach(rest, write))];
    }
    // An id is in use, or another request with the key was first.
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}

/** Returns customers with consecutive ids. */
function numbered(first: SystemFields, bodies: readonly CustomerFields[]): Customer[] {
  return bodies.map((fields, index) =>
    unstored({ ...first, mexcParamvaluesetsid: first.mexcParamvaluesetsid + index }, fields),
  );
}

/** Returns how many customers each transaction has. */
function sizesOfChunks(puts: readonly TransactionItem[]): number[] {
  const sizes: number[] = [];
  let size = 0;
  let bytes = 0;
  for (const { Put } of puts) {
    // An item has fewer bytes than its JSON.
    const itemBytes = Buffer.byteLength(JSON.stringify(Put?.Item));
    if (size === MAX_CHUNK || (size > 0 && bytes + itemBytes > MAX_CHUNK_BYTES)) {
      sizes.push(size);
      size = 0;
      bytes = 0;
    }
    size += 1;
    bytes += itemBytes;
  }
  return [...sizes, size];
}

function inChunks(
  sizes: readonly number[],
  customers: readonly Customer[],
  puts: readonly TransactionItem[],
): Chunk[] {
  let end = 0;
  return sizes.map((size) => {
    const start = end;
    end += size;
    return { customers: customers.slice(start, end), puts: puts.slice(start, end) };
  });
}

/** Writes the chunks. One that fails does not keep the others from being written. */
async function writeEach(
  chunks: readonly Chunk[],
  write: (chunk: Chunk) => Promise<void>,
): Promise<CreationResults> {
  const results = await mapConcurrently(chunks, CONCURRENCY, async (chunk) => {
    try {
      await write(chunk);
      return chunk.customers;
    } catch (error) {
      return chunk.customers.map(() => error as Error);
    }
  });
  return results.flat();
}

/**
 * Writes a chunk after the first one; with a key, unless that has been done.
 *
 * @param isRepeat whether an earlier request may have stored it.
 * @throws UnavailableError if an id is in use, which an increment of the sequence excludes.
 */
async function writeChunk(
  merchantId: string,
  { customers: [first], puts }: Chunk,
  abortSignal: AbortSignal,
  key: string | undefined,
  isRepeat: boolean,
): Promise<void> {
  const { mexcParamvaluesetsid: firstId } = (first as Customer).system;
  const isStored = async () => key !== undefined && isChunkStored(merchantId, key, firstId);
  // A read costs half a unit, a transaction that fails twice the units of its items.
  if (isRepeat && (await isStored())) return;
  const mark = key === undefined ? [] : [{ Put: storedChunkPut(merchantId, key, firstId) }];
  if (await writeTogether([...puts, ...mark], abortSignal)) return;
  if (!(await isStored())) throw new UnavailableError();
}
