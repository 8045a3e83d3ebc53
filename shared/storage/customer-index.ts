import {
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import {
  type CustomerFilter,
  FIRST_TIME,
  LAST_TIME,
  type TimeRange,
} from '../domain/customer-filter.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { filterExpression } from './filter-expression.ts';
import { queryInParallel } from './parallel-query.ts';
import {
  CUSTOMER_INDEX,
  customersIn,
  type IdRange,
  idInSortKey,
  LAST_ID,
  partitionKey,
  STORED_NAMES,
} from './table.ts';

/** Ids to read for each wanted customer, if not all customers meet the condition. */
const IDS_PER_MATCH = 10;
/** Growth of the range that is read next if the last one did not have enough matches. */
const RANGE_GROWTH = 4;
/** Ids to read together in descending order: about the entries of four pages. */
const MAX_DESCENDING_IDS = 32_000;
/** A sample takes so many entries, half a read unit, of each so many ids, and of at most so many places. */
const SAMPLE_ENTRIES = 32;
const IDS_PER_SAMPLE = 128;
const MAX_SAMPLES = 16;
/** Concurrent probes of each round of {@link firstIdSince}; each costs half a read unit. */
const PROBES = 8;

/**
 * Returns how many customers meet the filter. Reads the slim customer index, which follows writes
 * usually within a second.
 */
export async function countInIndex(merchantId: string, filter: CustomerFilter): Promise<number> {
  let count = 0;
  const query = { ...filterExpression(filter), Select: 'COUNT' } as const;
  const ranges = idRanges(merchantId, filter);
  for await (const page of indexPages(merchantId, ranges, query)) count += page.Count ?? 0;
  return count;
}

/**
 * Yields the ids of customers that meet the filter, ascending, a page at a time. Reads the slim
 * customer index, which follows writes usually within a second.
 *
 * @param after id after which to start.
 * @param wanted how many ids the caller expects to need: reads about as much as these take, and
 * more only if the caller continues. Default: all.
 * @param ranges where to look. Default: the filter's {@link idRanges}.
 * @param retry runs one read, and again if it fails. Default: once.
 */
export async function* matchingIds(
  merchantId: string,
  filter: CustomerFilter,
  {
    after = 0,
    wanted = Number.POSITIVE_INFINITY,
    ranges = idRanges(merchantId, filter),
    retry,
  }: {
    readonly after?: number;
    readonly wanted?: number;
    readonly ranges?: Iterable<IdRange> | AsyncIterable<IdRange>;
    readonly retry?: Retry;
  } = {},
): AsyncGenerator<number[]> {
  const query = { ...filterExpression(filter), ProjectionExpression: 'sk' };
  const options = { after, span: filter.condition ? wanted * IDS_PER_MATCH : wanted, retry };
  for await (const { Items = [] } of indexPages(merchantId, ranges, query, options)) {
    yield Items.map((item) => idInSortKey(item.sk?.S));
  }
}

/**
 * Yields the ids of customers that meet the filter, descending, some at a time.
 *
 * @param before id before which to start. Default: after the newest.
 * @param wanted as of {@link matchingIds}.
 */
export async function* matchingIdsDescending(
  merchantId: string,
  filter: CustomerFilter,
  { before = LAST_ID, wanted }: { readonly before?: number | undefined; readonly wanted: number },
): AsyncGenerator<number[]> {
  const query = { ...filterExpression(filter), ProjectionExpression: 'sk' };
  const newest = (await newestEntry(merchantId))?.id ?? 0;
  const ranges: IdRange[] = [];
  for await (const range of idRanges(merchantId, filter)) ranges.unshift(range);
  let length = filter.condition ? wanted * IDS_PER_MATCH : wanted;
  for (const { from, to } of ranges) {
    for (let last = Math.min(to, newest, before - 1); last >= from; ) {
      const range = { from: Math.max(from, last - length + 1), to: last };
      const ids: number[] = [];
      for await (const { Items = [] } of indexPages(merchantId, [range], query)) {
        for (const { sk } of Items) ids.push(idInSortKey(sk?.S));
      }
      yield ids.reverse();
      last = range.from - 1;
      length = Math.max(length, Math.min(length * RANGE_GROWTH, MAX_DESCENDING_IDS));
    }
  }
}

/** A customer's entry in the index, with the text that it is sorted by. */
export interface NamedEntry {
  readonly id: number;
  /** Name and customerid, folded. */
  readonly nameText: string | undefined;
}

/**
 * Yields the ids and name texts of customers that meet the filter, by ascending id, a page at a time.
 *
 * @param wanted as of {@link matchingIds}.
 */
export async function* matchingNames(
  merchantId: string,
  filter: CustomerFilter,
  wanted: number,
): AsyncGenerator<NamedEntry[]> {
  const expression = filterExpression(filter);
  const { nameText } = STORED_NAMES;
  const query = {
    ...expression,
    ExpressionAttributeNames: { ...expression.ExpressionAttributeNames, '#name': nameText },
    ProjectionExpression: 'sk, #name',
  };
  const span = filter.condition ? wanted * IDS_PER_MATCH : wanted;
  const ranges = idRanges(merchantId, filter);
  for await (const { Items = [] } of indexPages(merchantId, ranges, query, { span })) {
    yield Items.map((item) => ({ id: idInSortKey(item.sk?.S), nameText: item[nameText]?.S }));
  }
}

/** Estimated numbers of customers. */
export interface Estimate {
  /** Customers in the ranges. */
  readonly customers: number;
  /** Those of them that meet the filter. */
  readonly matches: number;
}

/**
 * Estimates how many customers of the ranges meet the filter, from a sample of the customer index:
 * some entries in each of several places, which are read concurrently and cost half a read unit each.
 */
export async function estimateMatches(
  merchantId: string,
  filter: CustomerFilter,
  ranges: readonly IdRange[],
): Promise<Estimate> {
  const ids = ranges.reduce((sum, range) => sum + lengthOf(range), 0);
  const places = Math.min(MAX_SAMPLES, Math.ceil(ids / IDS_PER_SAMPLE));
  const query = { ...filterExpression(filter), Select: 'COUNT', Limit: SAMPLE_ENTRIES } as const;
  const samples = ranges.flatMap((range) => [...split(range, Math.ceil(ids / places))]);
  const estimates = await Promise.all(
    samples.map(async (range) => {
      const page = await dynamodb.send(new QueryCommand(indexQuery(merchantId, range, query)));
      const last = page.LastEvaluatedKey;
      const seen = last ? idInSortKey(last.sk?.S) - range.from + 1 : lengthOf(range);
      // The rest of the range is assumed to be like what was seen.
      const scale = lengthOf(range) / seen;
      return {
        customers: (page.ScannedCount ?? 0) * scale,
        matches: (page.Count ?? 0) * scale,
      };
    }),
  );
  return {
    customers: estimates.reduce((sum, { customers }) => sum + customers, 0),
    matches: estimates.reduce((sum, { matches }) => sum + matches, 0),
  };
}

function lengthOf({ from, to }: IdRange): number {
  return Math.max(0, to - from + 1);
}

/** Splits a range of ids into ranges of this length. */
function* split({ from, to }: IdRange, length: number): Generator<IdRange> {
  for (let start = from; start <= to; start += length) {
    yield { from: start, to: Math.min(to, start + length - 1) };
  }
}

/** Returns the highest id in use; 0 if there is no customer. */
export async function newestId(merchantId: string): Promise<number> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      ...customersIn(merchantId, { from: 1, to: LAST_ID }),
      ProjectionExpression: 'sk',
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return idInSortKey(Items[0]?.sk?.S);
}

/** Runs a read, and again if it fails for a reason that may pass. */
export type Retry = <T>(read: () => Promise<T>) => Promise<T>;

/**
 * Yields pages of a query over the index entries of customers with ids in the ranges.
 *
 * @param span how many ids to read first; the range grows each time the caller continues.
 */
async function* indexPages(
  merchantId: string,
  ranges: Iterable<IdRange> | AsyncIterable<IdRange>,
  query: Partial<QueryCommandInput>,
  {
    after = 0,
    span = Number.POSITIVE_INFINITY,
    retry = (read) => read(),
  }: {
    readonly after?: number;
    readonly span?: number;
    readonly retry?: Retry | undefined;
  } = {},
): AsyncGenerator<QueryCommandOutput> {
  const readPage = async (range: IdRange) => {
    const command = () => new QueryCommand(indexQuery(merchantId, range, query));
    const page = await retry(() => dynamodb.send(command()));
    const last = page.LastEvaluatedKey;
    const lastEvaluatedId = last && idInSortKey(last.sk?.S);
    return { value: page, size: page.ScannedCount ?? 0, lastEvaluatedId };
  };
  let newest: Promise<number> | undefined;
  const findNewest = () => {
    newest ??= newestEntry(merchantId).then((entry) => entry?.id ?? 0);
    return newest;
  };
  let length = span;
  for await (const { from, to } of ranges) {
    for (let start = Math.max(from, after + 1); start <= to; ) {
      const end = Math.min(to, start + length - 1);
      yield* queryInParallel({ from: start, to: end }, readPage, findNewest);
      if (end === to || end >= (await findNewest())) break;
      start = end + 1;
      length *= RANGE_GROWTH;
    }
  }
}

/**
 * Yields the ranges of ids of the customers created in the filter's ranges of time, ascending; the
 * last may end at {@link LAST_ID}.
 */
export async function* idRanges(
  merchantId: string,
  { created }: CustomerFilter,
): AsyncGenerator<IdRange> {
  for (const range of created) yield await idsCreatedIn(merchantId, range);
}

/** Returns the ids of customers created in a range of time: ids increase with time. */
async function idsCreatedIn(merchantId: string, { from, to }: TimeRange): Promise<IdRange> {
  const [first, end] = await Promise.all([
    from === FIRST_TIME ? 1 : firstIdSince(merchantId, from),
    to === LAST_TIME ? LAST_ID : firstIdSince(merchantId, to + 1),
  ]);
  return { from: first, to: end - 1 };
}

/**
 * Returns the lowest id from which on customers were created at a time or later. A search with
 * several probes a round: 100,000 customers take six rounds.
 */
async function firstIdSince(merchantId: string, time: number): Promise<number> {
  const last = await newestEntry(merchantId);
  if (!last || last.createdAt < time) return LAST_ID;
  let low = 1;
  let high = last.id;
  while (low < high) {
    const probes = Math.min(PROBES, high - low);
    const ids = Array.from({ length: probes }, (_, index) =>
      Math.floor(low + ((high - low) * index) / probes),
    );
    const entries = await Promise.all(
      ids.map((id) => firstEntry(merchantId, { from: id, to: LAST_ID })),
    );
    for (const [index, entry] of entries.entries()) {
      if (!entry || entry.createdAt >= time) {
        high = ids[index] as number;
        break;
      }
      low = entry.id + 1;
    }
  }
  return high;
}

function newestEntry(merchantId: string) {
  return firstEntry(merchantId, { from: 1, to: LAST_ID }, { ScanIndexForward: false });
}

async function firstEntry(
  merchantId: string,
  range: IdRange,
  order: Pick<QueryCommandInput, 'ScanIndexForward'> = {},
) {
  const query = { ...order, Limit: 1 };
  const { Items } = await dynamodb.send(new QueryCommand(indexQuery(merchantId, range, query)));
  const item = Items?.[0];
  return (
    item && { id: idInSortKey(item.sk?.S), createdAt: Number(item[STORED_NAMES.createdAt]?.N) }
  );
}

function indexQuery(
  merchantId: string,
  { from, to }: IdRange,
  { ExpressionAttributeValues, ...query }: Partial<QueryCommandInput>,
): QueryCommandInput {
  return {
    TableName: TABLE_NAME,
    IndexName: CUSTOMER_INDEX.name,
    KeyConditionExpression: `pk = :pk AND ${CUSTOMER_INDEX.sortKey} BETWEEN :from AND :to`,
    ExpressionAttributeValues: {
      ...ExpressionAttributeValues,
      ':pk': { S: partitionKey(merchantId) },
      ':from': { N: String(from) },
      ':to': { N: String(to) },
    },
    ...query,
  };
}
