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
import { ENVIRONMENT } from '../environment.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { filterExpression } from './filter-expression.ts';
import { queryInParallel } from './parallel-query.ts';
import type { MergedFrame, NamedId } from './snapshots/merged-frame.ts';
import type { SnapshotOptions, SnapshotSearch } from './snapshots/search-snapshot.ts';
import {
  CUSTOMER_INDEX,
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
/** Ids whose entries are read at once, about one read unit, in place of more rounds of probes. */
const IDS_OF_ONE_READ = 64;

/*
 * Searches of merchants with many customers read a snapshot of the index in S3 as well, and from the
 * index only what is not in it. Small merchants do without: whether there can be a snapshot shows when
 * one read of the index is not enough. The code of snapshots is loaded then.
 */

/** Highest id of a merchant from which on there can be a snapshot; 0 if each search begins with it. */
const SNAPSHOT_FROM_ID = Number(process.env[ENVIRONMENT.snapshotFromId] || 'Infinity');
/** Merchants of whom a snapshot is used: their searches begin with it. */
const WITH_SNAPSHOT = new Set<string>();
const MAX_REMEMBERED = 1_000;
/**
 * Changed customers to read at most for a search that often ends with its first read of the index. They
 * are kept, so that the searches after it are cheaper than by the index.
 */
const MAX_CHANGED_AT_FIRST = 64;

/**
 * Returns how many customers meet the filter. Reads the slim customer index, which follows writes
 * usually within a second.
 */
export async function countInIndex(merchantId: string, filter: CustomerFilter): Promise<number> {
  let count = 0;
  const search: Search<number> = {
    merchantId,
    filter,
    query: { ...filterExpression(filter), Select: 'COUNT' },
    ofPage: (page) => page.Count ?? 0,
    ofFrame: (frame) => frame.count,
  };
  for await (const found of findMatches(search, idRanges(merchantId, filter))) count += found;
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
  const span = filter.condition ? wanted * IDS_PER_MATCH : wanted;
  yield* findMatches({ ...searchForIds(merchantId, filter), retry }, ranges, {
    after,
    wanted,
    span,
  });
}

function searchForIds(merchantId: string, filter: CustomerFilter): Search<number[]> {
  return {
    merchantId,
    filter,
    query: { ...filterExpression(filter), ProjectionExpression: 'sk' },
    ofPage: ({ Items = [] }) => Items.map((item) => idInSortKey(item.sk?.S)),
    ofFrame: (frame) => frame.ids(),
  };
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
  const search = searchForIds(merchantId, filter);
  const ranges: IdRange[] = [];
  for await (const range of idRanges(merchantId, filter)) ranges.unshift(range);
  let length = filter.condition ? wanted * IDS_PER_MATCH : wanted;
  let newest: number | undefined;
  for (const range of ranges) {
    let rest = { from: range.from, to: Math.min(range.to, before - 1) };
    if (beginsWithSnapshot(merchantId)) {
      rest = yield* descendingInSnapshot(search, rest, wanted, MAX_CHANGED_AT_FIRST);
    }
    if (rest.from > rest.to) continue;
    newest ??= await newestIndexedId(merchantId);
    const last = newest;
    rest.to = Math.min(rest.to, last);
    for (let reads = 0; rest.from <= rest.to; reads += 1) {
      if (reads === 1 && last >= SNAPSHOT_FROM_ID) {
        rest = yield* descendingInSnapshot(search, rest, wanted);
        if (rest.from > rest.to) break;
      }
      const from = Math.max(rest.from, rest.to - length + 1);
      const pages = await all(queriedMatches(search, { from, to: rest.to }, async () => last));
      yield pages.flat().reverse();
      rest = { from: rest.from, to: from - 1 };
      length = Math.max(length, Math.min(length * RANGE_GROWTH, MAX_DESCENDING_IDS));
    }
  }
}

/** Yields ids in a merchant's snapshot, descending. Returns the range that is left for the index. */
async function* descendingInSnapshot(
  search: Search<number[]>,
  range: IdRange,
  wanted: number,
  maxChanged?: number,
): AsyncGenerator<number[], IdRange> {
  const options = { wanted, descending: true, maxChanged };
  const found = matchesOfSnapshot(search, range, options);
  try {
    for (;;) {
      const { done, value } = await found.next();
      if (done) return value;
      yield value.reverse();
    }
  } finally {
    await found.return(range);
  }
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
): AsyncGenerator<NamedId[]> {
  const expression = filterExpression(filter);
  const { nameText } = STORED_NAMES;
  const search: Search<NamedId[]> = {
    merchantId,
    filter,
    query: {
      ...expression,
      ExpressionAttributeNames: { ...expression.ExpressionAttributeNames, '#name': nameText },
      ProjectionExpression: 'sk, #name',
    },
    ofPage: ({ Items = [] }) =>
      Items.map((item) => ({ id: idInSortKey(item.sk?.S), nameText: item[nameText]?.S })),
    ofFrame: (frame) => frame.names(),
    withNames: true,
  };
  const span = filter.condition ? wanted * IDS_PER_MATCH : wanted;
  yield* findMatches(search, idRanges(merchantId, filter), { wanted, span });
}

/** Returns whether a search finds customers in a snapshot, and so reads little of the index. */
export async function hasSnapshot(merchantId: string, newestId: number): Promise<boolean> {
  if (newestId < SNAPSHOT_FROM_ID) return false;
  const { openMerchantSnapshot } = await import('./snapshots/search-snapshot.ts');
  return (await openMerchantSnapshot(merchantId)) !== undefined;
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

/** Returns the highest id in the customer index; 0 if there is no customer. */
export async function newestIndexedId(merchantId: string): Promise<number> {
  return (await lastEntry(merchantId))?.id ?? 0;
}

/** Runs a read, and again if it fails for a reason that may pass. */
export type Retry = <T>(read: () => Promise<T>) => Promise<T>;

/** A search of the customer index, and what is taken from its pages or from frames of a snapshot. */
interface Search<T> {
  readonly merchantId: string;
  readonly filter: CustomerFilter;
  readonly query: Partial<QueryCommandInput>;
  readonly ofPage: (page: QueryCommandOutput) => T;
  readonly ofFrame: (frame: MergedFrame) => T;
  readonly withNames?: boolean;
  readonly retry?: Retry | undefined;
}

/**
 * Yields what a search finds in ranges of ids, by ascending id.
 *
 * @param wanted how many customers the caller expects to need.
 * @param span how many ids to read first; the range grows each time the caller continues.
 */
async function* findMatches<T>(
  search: Search<T>,
  ranges: Iterable<IdRange> | AsyncIterable<IdRange>,
  {
    after = 0,
    wanted = Number.POSITIVE_INFINITY,
    span = wanted,
  }: { readonly after?: number; readonly wanted?: number; readonly span?: number } = {},
): AsyncGenerator<T> {
  const { merchantId } = search;
  let newest: Promise<number> | undefined;
  const findNewest = () => {
    newest ??= newestIndexedId(merchantId);
    return newest;
  };
  const mayStop = Number.isFinite(wanted);
  let length = span;
  for await (const { from, to } of ranges) {
    let rest = { from: Math.max(from, after + 1), to };
    let isSnapshotLeft = true;
    /** Reads the snapshot, unless that failed or found all already. Returns what is left for the index. */
    const fromSnapshot = async function* (
      range: IdRange,
      maxChanged?: number,
    ): AsyncGenerator<T, IdRange> {
      if (!isSnapshotLeft) return range;
      const hasSnapshot =
        beginsWithSnapshot(merchantId) || (await findNewest()) >= SNAPSHOT_FROM_ID;
      if (!hasSnapshot) return range;
      isSnapshotLeft = maxChanged !== undefined;
      return yield* matchesOfSnapshot(search, range, { wanted, maxChanged });
    };
    if (beginsWithSnapshot(merchantId)) {
      rest = yield* fromSnapshot(rest, mayStop ? MAX_CHANGED_AT_FIRST : undefined);
    }
    for (let isFirst = true; rest.from <= to; isFirst = false) {
      if (!isFirst) rest = yield* fromSnapshot(rest);
      const end = Math.min(to, rest.from + length - 1);
      yield* queriedMatches(search, { from: rest.from, to: end }, findNewest, fromSnapshot);
      if (end === to || end >= (await findNewest())) break;
      rest = { from: end + 1, to };
      length *= RANGE_GROWTH;
    }
  }
}

/** Yields what a query of the index finds in a range of ids, by ascending id. */
function queriedMatches<T>(
  { merchantId, query, ofPage, retry = (read) => read() }: Search<T>,
  range: IdRange,
  findNewest: () => Promise<number>,
  elsewhere?: (rest: IdRange) => AsyncGenerator<T, IdRange>,
): AsyncGenerator<T> {
  const readPage = async (part: IdRange) => {
    const command = () => new QueryCommand(indexQuery(merchantId, part, query));
    const page = await retry(() => dynamodb.send(command()));
    const last = page.LastEvaluatedKey;
    const lastEvaluatedId = last && idInSortKey(last.sk?.S);
    return { value: ofPage(page), size: page.ScannedCount ?? 0, lastEvaluatedId };
  };
  return queryInParallel(range, readPage, findNewest, elsewhere);
}

/**
 * Yields what a search finds in a merchant's snapshot, and in the index what the snapshot leaves to it.
 *
 * @returns as `matchesInSnapshot` does: the range in which the index has to be read.
 */
async function* matchesOfSnapshot<T>(
  search: Search<T>,
  range: IdRange,
  options: SnapshotOptions,
): AsyncGenerator<T, IdRange> {
  const { merchantId } = search;
  const { matchesInSnapshot } = await import('./snapshots/search-snapshot.ts');
  const snapshotSearch: SnapshotSearch<T> = {
    ...search,
    readIndex: (part, note) => {
      const ofPage = (page: QueryCommandOutput) => {
        note(page.ScannedCount ?? 0);
        return search.ofPage(page);
      };
      return queriedMatches({ ...search, ofPage }, part, () => newestIndexedId(merchantId));
    },
    noteUse: (isUsed) => {
      if (isUsed) rememberSnapshot(merchantId);
      else WITH_SNAPSHOT.delete(merchantId);
    },
  };
  return yield* matchesInSnapshot(snapshotSearch, range, options);
}

function beginsWithSnapshot(merchantId: string): boolean {
  return SNAPSHOT_FROM_ID === 0 || WITH_SNAPSHOT.has(merchantId);
}

function rememberSnapshot(merchantId: string): void {
  WITH_SNAPSHOT.delete(merchantId);
  WITH_SNAPSHOT.add(merchantId);
  const [oldest = ''] = WITH_SNAPSHOT;
  if (WITH_SNAPSHOT.size > MAX_REMEMBERED) WITH_SNAPSHOT.delete(oldest);
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const value of values) array.push(value);
  return array;
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
 * several probes a round: 100,000 customers take four rounds and a read of what these have left, 64
 * customers the read alone, and those of a snapshot none, unless there are ids that it does not have.
 */
async function firstIdSince(merchantId: string, time: number): Promise<number> {
  const around = (await idsAroundInSnapshot(merchantId, time)) ?? (await allIds(merchantId, time));
  if (!around) return LAST_ID;
  let { low, high } = around;
  while (high - low > IDS_OF_ONE_READ) {
    const ids = Array.from({ length: PROBES }, (_, index) =>
      Math.floor(low + ((high - low) * index) / PROBES),
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
  while (low < high) {
    const { entries, lastEvaluatedId } = await entriesIn(merchantId, { from: low, to: high - 1 });
    const since = entries.find(({ createdAt }) => createdAt >= time);
    if (since) return since.id;
    low = (lastEvaluatedId ?? high) + 1;
  }
  return high;
}

/** Returns the lowest and the highest id that may be the first since a time, as a snapshot has them. */
async function idsAroundInSnapshot(merchantId: string, time: number) {
  if (!beginsWithSnapshot(merchantId)) return undefined;
  const search = await import('./snapshots/search-snapshot.ts');
  const around = await search.idsAroundInSnapshot(merchantId, time);
  return around && { low: around.before + 1, high: around.since };
}

/** Returns the first and the last id of the index; undefined if none is as new as the time. */
async function allIds(merchantId: string, time: number) {
  const last = await lastEntry(merchantId);
  return last && last.createdAt >= time ? { low: 1, high: last.id } : undefined;
}

function lastEntry(merchantId: string) {
  return firstEntry(merchantId, { from: 1, to: LAST_ID }, { ScanIndexForward: false });
}

async function firstEntry(
  merchantId: string,
  range: IdRange,
  order: Pick<QueryCommandInput, 'ScanIndexForward'> = {},
) {
  const { entries } = await entriesIn(merchantId, range, { ...order, Limit: 1 });
  return entries[0];
}

/** Returns the ids and creation times of a page of the index. */
async function entriesIn(
  merchantId: string,
  range: IdRange,
  options: Pick<QueryCommandInput, 'ScanIndexForward' | 'Limit'> = {},
) {
  const query = {
    ...options,
    ProjectionExpression: 'sk, #createdAt',
    ExpressionAttributeNames: { '#createdAt': STORED_NAMES.createdAt },
  };
  const page = await dynamodb.send(new QueryCommand(indexQuery(merchantId, range, query)));
  const { Items = [], LastEvaluatedKey: last } = page;
  const entries = Items.map((item) => ({
    id: idInSortKey(item.sk?.S),
    createdAt: Number(item[STORED_NAMES.createdAt]?.N),
  }));
  return { entries, lastEvaluatedId: last && idInSortKey(last.sk?.S) };
}

/** Returns a query of the customer index for a range of ids. */
export function indexQuery(
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
