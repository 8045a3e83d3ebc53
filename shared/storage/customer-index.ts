import {
  type AttributeValue,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import {
  type Condition,
  type CustomerFilter,
  FIRST_TIME,
  isEveryone,
  LAST_TIME,
  type SearchAttribute,
  type TimeRange,
} from '../domain/customer-filter.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { queryInParallel } from './parallel-query.ts';
import {
  CUSTOMER_INDEX,
  customersIn,
  IDENTITY_NUMBER_INDEX,
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
/** Concurrent probes of each round of {@link firstIdSince}; each costs half a read unit. */
const PROBES = 8;

/**
 * Returns how many customers meet the filter. Reads the slim customer index, which follows writes
 * usually within a second.
 */
export async function countCustomers(merchantId: string, filter: CustomerFilter): Promise<number> {
  let count = 0;
  const query = { ...filterExpression(filter), Select: 'COUNT' } as const;
  for await (const page of indexPages(merchantId, filter, query)) count += page.Count ?? 0;
  return count;
}

/**
 * Yields the ids of customers that meet the filter, ascending, a page at a time. Reads the slim
 * customer index, which follows writes usually within a second.
 *
 * @param after id after which to start.
 * @param wanted how many ids the caller expects to need: reads about as much as these take, and
 * more only if the caller continues. Default: all.
 */
export async function* matchingIds(
  merchantId: string,
  filter: CustomerFilter,
  { after = 0, wanted = Number.POSITIVE_INFINITY }: { after?: number; wanted?: number } = {},
): AsyncGenerator<number[]> {
  const query = { ...filterExpression(filter), ProjectionExpression: 'sk' };
  const bounds = { after, span: filter.condition ? wanted * IDS_PER_MATCH : wanted };
  for await (const { Items = [] } of indexPages(merchantId, filter, query, bounds)) {
    yield Items.map((item) => idInSortKey(item.sk?.S));
  }
}

/**
 * Returns an estimate of how many customers meet the filter; it can be too low by writes that the
 * index does not have yet. The highest id is an upper bound and costs one item; customers are
 * counted only if that bound exceeds `enough`, and only until there are more.
 *
 * @param enough up to how many the caller does not need to know whether there are fewer.
 */
export async function estimateCount(
  merchantId: string,
  filter: CustomerFilter,
  enough: number,
): Promise<number> {
  const most = await newestId(merchantId);
  if (most <= enough || isEveryone(filter)) return most;
  let count = 0;
  const query = { ...filterExpression(filter), Select: 'COUNT' } as const;
  for await (const page of indexPages(merchantId, filter, query)) {
    count += page.Count ?? 0;
    const last = page.LastEvaluatedKey;
    // The rest is assumed to be like what was counted.
    if (count > enough && last) return Math.round((count * most) / idInSortKey(last.sk?.S));
  }
  return count;
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

/**
 * Returns the ids of customers with an identity number in canonical form, ascending. Reads all
 * pages: entries of one number have no order, so that the newest can be on any.
 */
export async function findByIdentityNumber(
  merchantId: string,
  identityNumber: string,
): Promise<number[]> {
  const ids: number[] = [];
  let start: QueryCommandOutput['LastEvaluatedKey'];
  do {
    const { Items = [], LastEvaluatedKey } = await dynamodb.send(
      new QueryCommand({
        TableName: TABLE_NAME,
        IndexName: IDENTITY_NUMBER_INDEX.name,
        KeyConditionExpression: `pk = :pk AND ${IDENTITY_NUMBER_INDEX.sortKey} = :number`,
        ExpressionAttributeValues: {
          ':pk': { S: partitionKey(merchantId) },
          ':number': { S: identityNumber },
        },
        ProjectionExpression: 'sk',
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    for (const item of Items) ids.push(idInSortKey(item.sk?.S));
    start = LastEvaluatedKey;
  } while (start);
  return ids.sort((a, b) => a - b);
}

/**
 * Yields pages of a query over the index entries of customers created in the filter's ranges.
 *
 * @param span how many ids to read first; the range grows each time the caller continues.
 */
async function* indexPages(
  merchantId: string,
  { created }: CustomerFilter,
  query: Partial<QueryCommandInput>,
  { after = 0, span = Number.POSITIVE_INFINITY } = {},
): AsyncGenerator<QueryCommandOutput> {
  const readPage = async (range: IdRange) => {
    const page = await dynamodb.send(new QueryCommand(indexQuery(merchantId, range, query)));
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
  for (const range of created) {
    const { from, to } = await idsCreatedIn(merchantId, range);
    for (let start = Math.max(from, after + 1); start <= to; ) {
      const end = Math.min(to, start + length - 1);
      yield* queryInParallel({ from: start, to: end }, readPage, findNewest);
      if (end === to || end >= (await findNewest())) break;
      start = end + 1;
      length *= RANGE_GROWTH;
    }
  }
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

/** Returns the part of a query that filters by the condition. */
function filterExpression({ condition }: CustomerFilter): Partial<QueryCommandInput> {
  if (!condition) return {};
  const ExpressionAttributeNames: Record<string, string> = {};
  const ExpressionAttributeValues: Record<string, AttributeValue> = {};
  const FilterExpression = toExpression(
    condition,
    ExpressionAttributeNames,
    ExpressionAttributeValues,
  );
  return { FilterExpression, ExpressionAttributeNames, ExpressionAttributeValues };
}

/** Returns DynamoDB's expression of a condition; adds the names and values it uses. */
function toExpression(
  condition: Condition,
  names: Record<string, string>,
  values: Record<string, AttributeValue>,
): string {
  const inner = (part: Condition) => toExpression(part, names, values);
  const name = (attribute: SearchAttribute) => {
    const stored = STORED_NAMES[attribute];
    names[`#${stored}`] = stored;
    return `#${stored}`;
  };
  const value = (text: string) => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = { S: text };
    return placeholder;
  };
  // DynamoDB rejects redundant parentheses, as around a single part.
  const joined = (parts: readonly Condition[], operator: string) =>
    parts.length === 1 ? inner(parts[0] as Condition) : `(${parts.map(inner).join(operator)})`;
  if ('all' in condition) return joined(condition.all, ' AND ');
  if ('any' in condition) {
    // No alternative at all matches nobody; every customer has a kind.
    if (condition.any.length === 0) return `attribute_not_exists(${name('kind')})`;
    return joined(condition.any, ' OR ');
  }
  if ('not' in condition) return `(NOT ${inner(condition.not)})`;
  const attribute = name(condition.attribute);
  if ('exists' in condition) return `attribute_exists(${attribute})`;
  if ('equals' in condition) return `${attribute} = ${value(condition.equals.charAt(0))}`;
  return `contains(${attribute}, ${value(condition.contains)})`;
}
