import { mapAhead } from '../concurrency.ts';
import type { RowFormat } from '../formats/row-format.ts';
import { batchesOf } from './batch-get.ts';
import type { Retry } from './customer-index.ts';
import {
  customerBytes,
  isSizeKnown,
  noteCustomerBytes,
  noteUnits,
  UNIT_BYTES,
} from './customer-size.ts';
import {
  concatRows,
  getRows,
  mergeRows,
  orderRows,
  queryRows,
  type ReadRows,
  selectRows,
} from './serialized-items/index.ts';
import { customersIn } from './table.ts';

/*
 * Customers whose ids are known can be read in two ways. BatchGetItem costs each of them at least a
 * unit, or half a unit if it is eventually consistent. A query of the ids in between costs the bytes
 * of all of them, wanted or not. Which one is cheaper depends on how dense the ids are and how large
 * the customers.
 */

/** Customers of the first query of a merchant, which shows how large they are. */
const FIRST_QUERY = 25;
/** Maximum ids that are read together, and about how many bytes of customers. */
const MAX_CHUNK = 400;
const CHUNK_BYTES = 2 * 1024 * 1024;
/** Ids that are read together while the size of the customers is not known. */
const FIRST_CHUNK = 100;
const CONCURRENT_CHUNKS = 2;
/** Ids that are read together if their order is another. */
const ORDERED_CHUNK = 100;
/** A query does not read more unwanted customers in a row than cost this many units. */
const MAX_BRIDGE_UNITS = 10;

/** How customers are read. */
export interface ReadOptions {
  readonly merchantId: string;
  readonly format: RowFormat;
  /** Whether the rows show every acknowledged write. */
  readonly isConsistent: boolean;
}

/**
 * Yields the rows of customers with these ids, in the order of the ids, which ascends; absent
 * customers are skipped. Each range of ids is read in the cheaper of the two ways.
 *
 * @param retry runs one read, and again if it fails. Default: once.
 */
export async function* rowsByIds(
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  options: ReadOptions,
  retry: Retry = (read) => read(),
): AsyncGenerator<ReadRows> {
  const read = (ids: readonly number[]) => readChunk(ids, options, retry);
  const chunks = chunksOf(pages, options);
  let { value: ids } = await chunks.next();
  if (!ids) return;
  const first = ids.slice(0, FIRST_QUERY);
  if (!isSizeKnown(options.merchantId) && isDense(first, options)) {
    yield await read(first);
    ids = ids.slice(FIRST_QUERY);
  }
  yield* mapAhead(startingWith(ids, chunks), CONCURRENT_CHUNKS, read);
}

/** Yields the rows of customers with these ids in the order of the ids; absent customers are skipped. */
export async function* rowsInOrder(
  ids: readonly number[],
  options: ReadOptions,
): AsyncGenerator<ReadRows> {
  const chunks = Array.from({ length: Math.ceil(ids.length / ORDERED_CHUNK) }, (_, index) =>
    ids.slice(index * ORDERED_CHUNK, (index + 1) * ORDERED_CHUNK),
  );
  yield* mapAhead(chunks, CONCURRENT_CHUNKS, async (chunk) => {
    const ascending = chunk.toSorted((a, b) => a - b);
    const { rows, units } = await readChunk(ascending, options, (read) => read());
    return { rows: orderRows(rows, chunk), units };
  });
}

async function* startingWith<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function* chunksOf(
  pages: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  options: ReadOptions,
): AsyncGenerator<number[]> {
  let chunk: number[] = [];
  for await (const page of pages) {
    for (const id of page) {
      chunk.push(id);
      if (chunk.length < chunkSize(options)) continue;
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

function chunkSize(options: ReadOptions): number {
  if (!isSizeKnown(options.merchantId)) return FIRST_CHUNK;
  return Math.min(MAX_CHUNK, Math.ceil(CHUNK_BYTES / customerBytes(options.merchantId)));
}

async function readChunk(
  chunk: readonly number[],
  options: ReadOptions,
  retry: Retry,
): Promise<ReadRows> {
  const ranges = splitAtGaps(chunk, options);
  const dense = ranges.filter((ids) => isDense(ids, options));
  const sparse = ranges.filter((ids) => !dense.includes(ids)).flat();
  const parts = await Promise.all([
    ...dense.map((ids) => retry(() => queryRange(ids, options))),
    ...[...batchesOf(sparse)].map((ids) => retry(() => getBatch(ids, options))),
  ]);
  return {
    rows: mergeRows(parts.map(({ rows }) => rows)),
    units: parts.reduce((sum, { units }) => sum + units, 0),
  };
}

/** Splits ids where reading the customers in between costs more than another query is worth. */
function splitAtGaps(ids: readonly number[], options: ReadOptions): number[][] {
  const maxGap = (MAX_BRIDGE_UNITS * UNIT_BYTES) / customerBytes(options.merchantId);
  const ranges: number[][] = [];
  for (const id of ids) {
    const range = ranges.at(-1);
    const last = range?.at(-1);
    if (range && last !== undefined && id - last <= maxGap) range.push(id);
    else ranges.push([id]);
  }
  return ranges;
}

/** Returns whether a query of the ids' range costs less, by a unit at least, than to get each. */
function isDense(ids: readonly number[], options: ReadOptions): boolean {
  const bytes = customerBytes(options.merchantId);
  const [first = 0] = ids;
  const customers = (ids.at(-1) ?? 0) - first + 1;
  const unitsOfQuery = (customers * bytes) / UNIT_BYTES;
  return unitsOfQuery + 1 <= ids.length * Math.ceil(bytes / UNIT_BYTES);
}

async function queryRange(ids: readonly number[], options: ReadOptions): Promise<ReadRows> {
  const { merchantId, format, isConsistent } = options;
  const wanted = new Set(ids);
  const range = { from: ids[0] as number, to: ids.at(-1) as number };
  const pages: ReadRows[] = [];
  let startKey: Awaited<ReturnType<typeof queryRows>>['next'];
  do {
    const query = { ...customersIn(merchantId, range), ConsistentRead: isConsistent };
    const page = await queryRows({ ...query, ExclusiveStartKey: startKey }, format);
    pages.push(page);
    startKey = page.next;
  } while (startKey);
  const rows = concatRows(pages.map((page) => page.rows));
  const units = pages.reduce((sum, page) => sum + page.units, 0);
  noteUnits(merchantId, units, rows.ids.length, isConsistent);
  return { rows: selectRows(rows, (id) => wanted.has(id)), units };
}

async function getBatch(ids: readonly number[], options: ReadOptions): Promise<ReadRows> {
  const { merchantId, format, isConsistent } = options;
  const read = await getRows(merchantId, ids, format, isConsistent);
  const found = read.rows.ids.length;
  if (found === 0) return read;
  // An absent customer costs a unit, too.
  const units = (read.units * unitBytes(options)) / UNIT_BYTES - (ids.length - found);
  const unitsEach = units / found;
  // Each customer costs whole units, of the last of which it fills half on average.
  if (unitsEach > 1) noteCustomerBytes(merchantId, (unitsEach - 0.5) * UNIT_BYTES);
  else if (customerBytes(options.merchantId) > UNIT_BYTES)
    noteCustomerBytes(merchantId, UNIT_BYTES / 2);
  return read;
}

/** Bytes that a unit of these reads pays for. */
function unitBytes({ isConsistent }: ReadOptions): number {
  return isConsistent ? UNIT_BYTES : 2 * UNIT_BYTES;
}
