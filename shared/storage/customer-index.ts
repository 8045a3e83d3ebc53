import {
  type AttributeValue,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import {
  type Condition,
  FIRST_TIME,
  LAST_TIME,
  type Selection,
  type TimeRange,
} from '../domain/customer-filter.ts';
import { idOf, partitionKey, type RawItem } from './customer-item.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { type IdRange, LAST_ID, readInOrder } from './parallel-query.ts';
import { BY_ORG_NUMBER, DERIVED, DIRECTORY, KEY } from './table.ts';

/** Values of an expression, by their placeholders. */
type Values = Record<string, AttributeValue>;

/** Ids that are read for each customer that is wanted, where not all of them meet a condition. */
const IDS_FOR_ONE = 10;
/** How much more is read next, where that was not enough. */
const GROWTH = 4;
/** Probes of one round of {@link firstIdSince}; each costs half a read unit. */
const PROBES = 8;

/** How many customers are selected. Reads the slim index only; follows writes within a second. */
export async function countSelected(merchant: string, selection: Selection): Promise<number> {
  let count = 0;
  const query = { ...conditionOf(selection), Select: 'COUNT' } as const;
  for await (const page of selectedPages(merchant, selection, query)) count += page.Count ?? 0;
  return count;
}

/**
 * Ids of the selected customers, ascending, a page at a time. Reads the slim index only; follows
 * writes within a second.
 *
 * @param after id after which to begin.
 * @param wanted how many will do: about as much is read as these take, and more only for who goes
 * on. All where it is not given.
 */
export async function* selectedIds(
  merchant: string,
  selection: Selection,
  { after = 0, wanted = Number.POSITIVE_INFINITY }: { after?: number; wanted?: number } = {},
): AsyncGenerator<number[]> {
  const query = { ...conditionOf(selection), ProjectionExpression: KEY.sort };
  const bounds = { after, span: selection.condition ? wanted * IDS_FOR_ONE : wanted };
  for await (const { Items = [] } of selectedPages(merchant, selection, query, bounds)) {
    yield Items.map((item) => idOf(textOf(item, KEY.sort)));
  }
}

/**
 * Pages of a query over the selected customers' places in the directory.
 *
 * @param span how many ids to read at first; then, for who goes on, of more each time.
 */
async function* selectedPages(
  merchant: string,
  { created }: Selection,
  query: Partial<QueryCommandInput> & ReturnType<typeof conditionOf>,
  { after = 0, span = Number.POSITIVE_INFINITY } = {},
): AsyncGenerator<QueryCommandOutput> {
  const readPage = async (range: IdRange) => {
    const page = await dynamodb.send(new QueryCommand(directoryQuery(merchant, range, query)));
    const last = page.LastEvaluatedKey;
    const reached = last && idOf(textOf(last, KEY.sort));
    return { value: page, size: page.ScannedCount ?? 0, reached };
  };
  let newestId: Promise<number> | undefined;
  const findNewest = () => {
    newestId ??= newest(merchant).then((entry) => entry?.id ?? 0);
    return newestId;
  };
  let length = span;
  for (const range of created) {
    const { from, to } = await idsCreated(merchant, range);
    for (let start = Math.max(from, after + 1); start <= to; ) {
      const end = Math.min(to, start + length - 1);
      yield* readInOrder({ from: start, to: end }, readPage, findNewest);
      if (end === to || end >= (await findNewest())) break;
      start = end + 1;
      length *= GROWTH;
    }
  }
}

/** The ids of customers created in a stretch of time: they rise with it. */
async function idsCreated(merchant: string, { from, to }: TimeRange): Promise<IdRange> {
  const [first, end] = await Promise.all([
    from === FIRST_TIME ? 1 : firstIdSince(merchant, from),
    to === LAST_TIME ? LAST_ID : firstIdSince(merchant, to + 1),
  ]);
  return { from: first, to: end - 1 };
}

/**
 * The id from which on customers were created at a time or later. Looks at a few places at once
 * and then between two of them: 100,000 customers take six rounds.
 */
async function firstIdSince(merchant: string, time: number): Promise<number> {
  const last = await newest(merchant);
  if (!last || last.createdAt < time) return LAST_ID;
  let low = 1;
  let high = last.id;
  while (low < high) {
    const probes = Math.min(PROBES, high - low);
    const ids = Array.from({ length: probes }, (_, index) =>
      Math.floor(low + ((high - low) * index) / probes),
    );
    const entries = await Promise.all(ids.map((id) => entryFrom(merchant, id)));
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

/** A customer's place in the directory. */
interface Entry {
  readonly id: number;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
}

/** The first customer from an id on. */
function entryFrom(merchant: string, from: number): Promise<Entry | undefined> {
  return oneEntry(merchant, { from, to: LAST_ID }, true);
}

function newest(merchant: string): Promise<Entry | undefined> {
  return oneEntry(merchant, { from: 1, to: LAST_ID }, false);
}

async function oneEntry(merchant: string, range: IdRange, ScanIndexForward: boolean) {
  const query = { ScanIndexForward, Limit: 1 };
  const { Items } = await dynamodb.send(new QueryCommand(directoryQuery(merchant, range, query)));
  const item = Items?.[0];
  return (
    item && {
      id: idOf(textOf(item, KEY.sort)),
      createdAt: Number(item[DERIVED.createdAt]?.N),
    }
  );
}

/** Ids of the customers with an identity number of 12 digits, ascending. */
export async function findByOrgNumber(merchant: string, digits: string): Promise<number[]> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: TABLE_NAME,
      IndexName: BY_ORG_NUMBER.name,
      KeyConditionExpression: `pk = :pk AND ${BY_ORG_NUMBER.sortKey} = :digits`,
      ExpressionAttributeValues: {
        ':pk': { S: partitionKey(merchant) },
        ':digits': { S: digits },
      },
      ProjectionExpression: 'sk',
    }),
  );
  return Items.map((item) => idOf(textOf(item, KEY.sort))).sort((a, b) => a - b);
}

function textOf(item: RawItem, name: string): string {
  return item[name]?.S ?? '';
}

/** A query over a stretch of the directory. */
function directoryQuery(
  merchant: string,
  { from, to }: IdRange,
  { ExpressionAttributeValues, ...query }: Partial<QueryCommandInput>,
): QueryCommandInput {
  return {
    TableName: TABLE_NAME,
    IndexName: DIRECTORY.name,
    KeyConditionExpression: `pk = :pk AND ${DIRECTORY.sortKey} BETWEEN :from AND :to`,
    ExpressionAttributeValues: {
      ...ExpressionAttributeValues,
      ':pk': { S: partitionKey(merchant) },
      ':from': { N: String(from) },
      ':to': { N: String(to) },
    },
    ...query,
  };
}

/** The part of a query that asks for the condition of a selection. */
function conditionOf({ condition }: Selection) {
  if (!condition) return {};
  const ExpressionAttributeNames: Record<string, string> = {};
  const ExpressionAttributeValues: Values = {};
  const FilterExpression = toExpression(
    condition,
    ExpressionAttributeNames,
    ExpressionAttributeValues,
  );
  return { FilterExpression, ExpressionAttributeNames, ExpressionAttributeValues };
}

/** DynamoDB's filter expression of a condition; fills in its names and values. */
function toExpression(condition: Condition, names: Record<string, string>, values: Values): string {
  const inner = (part: Condition) => toExpression(part, names, values);
  const name = (attribute: string) => {
    names[`#${attribute}`] = attribute;
    return `#${attribute}`;
  };
  const value = (text: string) => {
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = { S: text };
    return placeholder;
  };
  // DynamoDB refuses parentheses around what has its own, as one part alone would have.
  const joined = (parts: readonly Condition[], word: string) =>
    parts.length === 1 ? inner(parts[0] as Condition) : `(${parts.map(inner).join(word)})`;
  if ('all' in condition) return joined(condition.all, ' AND ');
  if ('any' in condition) {
    // Any of nothing holds for nobody; every customer has a kind.
    if (condition.any.length === 0) return `attribute_not_exists(${name(DERIVED.kind)})`;
    return joined(condition.any, ' OR ');
  }
  if ('not' in condition) return `(NOT ${inner(condition.not)})`;
  const attribute = name(condition.attribute);
  if ('exists' in condition) return `attribute_exists(${attribute})`;
  if ('equals' in condition) return `${attribute} = ${value(condition.equals)}`;
  return `contains(${attribute}, ${value(condition.contains)})`;
}
