import { paginateQuery, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Condition, KeyRange, Selection } from '../customer/filters.ts';
import { BY_ORG_NUMBER, DERIVED, DIRECTORY, KEY } from '../table.ts';
import { dynamodb, TABLE_NAME } from './client.ts';
import { idOf, partitionKey, type RawItem } from './items.ts';

/** Values of an expression, by their placeholders. */
type Values = Record<string, { S: string }>;

/** A customer's place in the directory. */
export interface Entry {
  readonly id: number;
  /** Sort key in the directory. */
  readonly key: string;
}

/** How many customers are selected. Reads the slim index only; follows writes within a second. */
export async function countSelected(merchant: string, selection: Selection): Promise<number> {
  let count = 0;
  for (const range of selection.ranges) {
    const pages = paginateQuery(
      { client: dynamodb },
      { ...directoryQuery(merchant, range, selection.condition), Select: 'COUNT' },
    );
    for await (const page of pages) count += page.Count ?? 0;
  }
  return count;
}

/**
 * Places of the selected customers, ascending, a page at a time. Reads the slim index only;
 * follows writes within a second.
 *
 * @param after directory key after which to begin.
 */
export async function* selectedEntries(
  merchant: string,
  selection: Selection,
  after?: string,
): AsyncGenerator<Entry[]> {
  for (const range of selection.ranges) {
    if (after !== undefined && after >= range.to) continue;
    const from = after !== undefined && after > range.from ? `${after} ` : range.from;
    const pages = paginateQuery(
      { client: dynamodb },
      {
        ...directoryQuery(merchant, { from, to: range.to }, selection.condition),
        ProjectionExpression: `sk, ${DIRECTORY.sortKey}`,
      },
    );
    for await (const { Items = [] } of pages) {
      yield Items.map((item) => ({
        id: idOf(textOf(item, KEY.sort)),
        key: textOf(item, DIRECTORY.sortKey),
      }));
    }
  }
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

function directoryQuery(merchant: string, range: KeyRange, condition: Condition | undefined) {
  const values: Values = {
    ':pk': { S: partitionKey(merchant) },
    ':from': { S: range.from },
    ':to': { S: range.to },
  };
  const names: Record<string, string> = {};
  const filter = condition && toExpression(condition, names, values);
  return {
    TableName: TABLE_NAME,
    IndexName: DIRECTORY.name,
    KeyConditionExpression: `pk = :pk AND ${DIRECTORY.sortKey} BETWEEN :from AND :to`,
    ...(filter && { FilterExpression: filter, ExpressionAttributeNames: names }),
    ExpressionAttributeValues: values,
  };
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
