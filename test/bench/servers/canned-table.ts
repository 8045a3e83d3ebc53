import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Customer } from '../../../shared/domain/customer.ts';
import { toSearchAttributes } from '../../../shared/domain/search-attributes.ts';
import { toItem } from '../../../shared/storage/customer-item.ts';
import {
  CUSTOMER_INDEX,
  CUSTOMER_PREFIX,
  customerSortKey,
  IDENTITY_NUMBER_INDEX,
  idInSortKey,
  KEY,
} from '../../../shared/storage/table.ts';
import { customerOf, dateOf, type Shape, VARIETY } from '../customers.ts';

/** A request that the canned table does not support: it fails rather than respond wrongly. */
export class UnsupportedRequestError extends Error {}

type Item = Record<string, AttributeValue>;
// biome-ignore lint/suspicious/noExplicitAny: requests of every operation
export type Input = Record<string, any>;

/** Returns the merchant with this many customers of this shape. */
export function cannedMerchant(shape: Shape, count: number): string {
  return `${shape}-${count}`;
}

/** Maximum size of a page of DynamoDB, in bytes. */
const PAGE_BYTES = 1_048_576;
const BUFFER_BYTES = 4 * PAGE_BYTES;
/** Placeholders in the template of an item for the values that differ between customers. */
const ID = 7_777_777_777_777_777;
const DATE = '2001-02-03T04:05:06.789Z';
const TIME = Date.parse(DATE);
const PLACES = new RegExp(`(?<="N":")${ID}(?=")|${ID}|${DATE}|${TIME}`);

/** Template of an item: bytes of its JSON, with gaps for id and date. */
interface Template {
  /** Bytes around the gaps: one more than there are gaps. */
  readonly around: readonly Buffer[];
  readonly gaps: readonly ('id' | 'padded id' | 'date' | 'time')[];
  /** Size as DynamoDB calculates it, in bytes. */
  readonly size: number;
  readonly item: Item;
}

interface Merchant {
  readonly shape: Shape;
  readonly count: number;
}

/**
 * Creates a stand-in for DynamoDB's operations on customers that are not stored: they are derived
 * from their ids. Pages are assembled from prepared bytes, so that a response costs next to nothing.
 * Writes succeed without effect.
 *
 * @returns a function that returns the bytes of a response, valid until its next call.
 * It throws UnsupportedRequestError for a request that it does not support.
 */
export function createCannedTable(): (operation: string, input: Input) => Buffer {
  const templates = new Map<string, Template[]>();
  const templatesOf = (
    { shape, count }: Merchant,
    attributes: readonly string[] | undefined,
  ): Template[] => {
    const merchant = cannedMerchant(shape, count);
    const key = `${merchant} ${attributes?.join() ?? ''}`;
    let found = templates.get(key);
    if (!found) {
      found = Array.from({ length: VARIETY }, (_, index) =>
        toTemplate(merchant, customerOf(shape, index + 1), attributes),
      );
      templates.set(key, found);
    }
    return found;
  };
  const writer = new Writer();

  const writeItem = (all: readonly Template[], id: number) => {
    const { around, gaps } = templateOf(all, id);
    for (let index = 0; index < gaps.length; index += 1) {
      const place = gaps[index];
      writer.bytes(around[index] as Buffer);
      if (place === 'date') writer.ascii(dateOf(id));
      else if (place === 'time') writer.ascii(String(Date.parse(dateOf(id))));
      else writer.ascii(place === 'id' ? String(id) : padId(id));
    }
    writer.bytes(around[gaps.length] as Buffer);
  };

  const query = (input: Input): void => {
    const index = input.IndexName as string | undefined;
    if (index !== undefined && input.ConsistentRead) throw unsupported('a consistent index', input);
    const { pk, range } = keyCondition(input);
    const merchantData = merchantOf(pk);
    const stored = templatesOf(merchantData, storedIn(index));
    const projected = projectionOf(input);
    const shown = projected ? templatesOf(merchantData, projected) : stored;
    const pending = pendingIds(input, merchantData, range);
    const most = Math.min(pending.length, input.Limit ?? Number.POSITIVE_INFINITY);
    let count = 0;
    let size = 0;
    for (; count < most; count += 1) {
      const more = templateOf(stored, pending.at(count)).size;
      if (size + more > PAGE_BYTES) break;
      size += more;
    }
    const isWanted = filterOf(input);
    const wanted = stored.map(({ item }) => isWanted(item));
    const ids: number[] = [];
    for (let position = 0; position < count; position += 1) {
      const id = pending.at(position);
      if (templateOf(wanted, id)) ids.push(id);
    }
    writer.text(`{"Count":${ids.length}`);
    if (input.Select !== 'COUNT') {
      writer.text(',"Items":[');
      for (const [position, id] of ids.entries()) {
        if (position > 0) writer.text(',');
        writeItem(shown, id);
      }
      writer.text(']');
    }
    // Like DynamoDB, which does not check whether an item follows one that fills the limit.
    if (count > 0 && (count === input.Limit || count < pending.length)) {
      const last = pending.at(count - 1);
      const { item } = templateOf(stored, last);
      const key = [KEY.partition, KEY.sort, sortKeyOf(index)].map((name) => [name, item[name]]);
      const filled = JSON.stringify(fill(Object.fromEntries(key), last));
      writer.text(`,"LastEvaluatedKey":${filled}`);
    }
    writer.text(`,"ScannedCount":${count}`);
    writeCapacity(input, Math.ceil(size / 4096) * (input.ConsistentRead ? 1 : 0.5));
    writer.text('}');
  };

  const itemAt = (key: Item, attributes?: readonly string[]): Item | undefined => {
    const sk = key[KEY.sort]?.S ?? '';
    const merchantData = merchantOf(key[KEY.partition]?.S ?? '');
    if (sk === 'SEQUENCE') return sequence(key, merchantData);
    if (!sk.startsWith(CUSTOMER_PREFIX)) return undefined;
    const id = idInSortKey(sk);
    if (id < 1 || id > merchantData.count) return undefined;
    return fill(templateOf(templatesOf(merchantData, attributes), id).item, id);
  };

  const writeCapacity = (input: Input, units: number) => {
    if (!input.ReturnConsumedCapacity || input.ReturnConsumedCapacity === 'NONE') return;
    writer.text(
      `,"ConsumedCapacity":${JSON.stringify({ CapacityUnits: units, TableName: input.TableName })}`,
    );
  };

  const operations: Record<string, (input: Input) => void> = {
    Query: query,
    GetItem: (input) => {
      const item = itemAt(input.Key, projectionOf(input));
      writer.text(JSON.stringify(item ? { Item: item } : {}));
    },
    BatchGetItem: (input) => {
      const responses: Record<string, Item[]> = {};
      for (const [table, wanted] of Object.entries<Input>(input.RequestItems)) {
        const attributes = projectionOf(wanted);
        responses[table] = wanted.Keys.flatMap((key: Item) => itemAt(key, attributes) ?? []);
      }
      writer.text(JSON.stringify({ Responses: responses, UnprocessedKeys: {} }));
    },
    PutItem: () => writer.text('{}'),
    DeleteItem: (input) => {
      const old = input.ReturnValues === 'ALL_OLD' ? itemAt(input.Key) : undefined;
      writer.text(JSON.stringify(old ? { Attributes: old } : {}));
    },
    UpdateItem: (input) => {
      if (!input.ReturnValues || input.ReturnValues === 'NONE') return writer.text('{}');
      const item = itemAt(input.Key);
      if (input.Key.sk.S !== 'SEQUENCE' || !item) throw unsupported('ReturnValues', input);
      return writer.text(JSON.stringify({ Attributes: item }));
    },
    BatchWriteItem: () => writer.text('{"UnprocessedItems":{}}'),
    TransactWriteItems: () => writer.text('{}'),
  };

  return (operation, input) => {
    const execute = operations[operation];
    if (!execute)
      throw new UnsupportedRequestError(`The canned table does not support ${operation}.`);
    writer.restart();
    execute(input);
    return writer.written();
  };
}

/** Attribute of the sort key, by index. */
const SORT_KEYS: Readonly<Record<string, string>> = {
  [CUSTOMER_INDEX.name]: CUSTOMER_INDEX.sortKey,
  [IDENTITY_NUMBER_INDEX.name]: IDENTITY_NUMBER_INDEX.sortKey,
};

/** Returns the attributes in an index; undefined for the table, which has all. */
function storedIn(index: string | undefined): string[] | undefined {
  if (index === undefined) return undefined;
  const projected = index === CUSTOMER_INDEX.name ? CUSTOMER_INDEX.projected : [];
  return [KEY.partition, KEY.sort, sortKeyOf(index), ...projected];
}

function sortKeyOf(index: string | undefined): string {
  if (index === undefined) return KEY.sort;
  const name = SORT_KEYS[index];
  if (name) return name;
  throw new UnsupportedRequestError(`The canned table has no index ${index}.`);
}

function merchantOf(pk: string): Merchant {
  const [, shape, count] = /^MERCHANT#(full|sparse|typical|large|small)-(\d+)$/.exec(pk) ?? [];
  if (shape) return { shape: shape as Shape, count: Number(count) };
  throw new UnsupportedRequestError(`The canned table has no partition ${pk}.`);
}

/** Returns the item of the id sequence: the next id is the first that no customer has. */
function sequence(key: Item, { count }: Merchant): Item {
  const id = count + 1;
  return { ...key, lastId: { N: String(id) }, lastDate: { S: dateOf(id) } };
}

function templateOf<T>(all: readonly T[], id: number): T {
  return all[(id - 1) % VARIETY] as T;
}

/** Returns the filter of a query: the comparison of one attribute with a text, or none. */
function filterOf(input: Input): (item: Item) => boolean {
  const expression = input.FilterExpression as string | undefined;
  if (!expression) return () => true;
  const [, name = '', value = ''] = /^(#\w+) = (:\w+)$/.exec(expression) ?? [];
  const attribute = input.ExpressionAttributeNames?.[name];
  if (!attribute) throw unsupported('FilterExpression', input);
  return (item) => item[attribute]?.S === input.ExpressionAttributeValues[value].S;
}

function toTemplate(
  merchant: string,
  customer: Customer,
  attributes: readonly string[] | undefined,
): Template {
  const system = { ...customer.system, mexcParamvaluesetsid: ID, date: DATE };
  const all = toAttributes(toItem(merchant, { ...customer, system }));
  // DynamoDB returns attributes in an arbitrary order.
  const item = Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => !attributes || attributes.includes(name))
      .sort(([a], [b]) => hashName(a) - hashName(b)),
  );
  const around: Buffer[] = [];
  const gaps: Template['gaps'][number][] = [];
  let rest = JSON.stringify(item);
  for (let match = PLACES.exec(rest); match; match = PLACES.exec(rest)) {
    const before = rest.slice(0, match.index);
    around.push(Buffer.from(before));
    if (match[0] === DATE) gaps.push('date');
    else if (match[0] === String(TIME)) gaps.push('time');
    else gaps.push(before.endsWith('"N":"') ? 'id' : 'padded id');
    rest = rest.slice(match.index + match[0].length);
  }
  around.push(Buffer.from(rest));
  return { around, gaps, size: sizeOf(item), item };
}

/** Returns the typed attributes of an item as DynamoDB sends them, without unset ones. */
function toAttributes(item: Readonly<Record<string, unknown>>): Item {
  const attributes: Item = {};
  for (const [name, value] of Object.entries(item)) {
    if (typeof value === 'string') attributes[name] = { S: value };
    else if (typeof value === 'number') attributes[name] = { N: String(value) };
    else if (typeof value === 'boolean') attributes[name] = { BOOL: value };
    else if (value instanceof Uint8Array) attributes[name] = { B: base64(value) };
    else if (value !== undefined) throw new Error(`${name} has a type that no customer has.`);
  }
  return attributes;
}

/** The form of bytes in JSON. */
function base64(bytes: Uint8Array): Uint8Array {
  return Object.assign(Buffer.from(bytes), {
    toJSON: () => Buffer.from(bytes).toString('base64'),
  });
}

function fill(item: Item, id: number): Item {
  const text = JSON.stringify(item)
    .replaceAll(`"N":"${ID}"`, `"N":"${id}"`)
    .replaceAll(String(ID), padId(id))
    .replaceAll(DATE, dateOf(id))
    .replaceAll(String(TIME), String(Date.parse(dateOf(id))));
  return JSON.parse(text);
}

/** Returns the FNV-1a hash of a name. */
function hashName(name: string): number {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  return hash;
}

/** Returns the size of an item as DynamoDB documents it: names, strings, and digits in pairs. */
function sizeOf(item: Item): number {
  let size = 0;
  for (const [name, { S, N, B }] of Object.entries(item)) {
    size += Buffer.byteLength(name);
    if (B) size += B.length;
    else size += S !== undefined ? Buffer.byteLength(S) : N ? Math.ceil(N.length / 2) + 1 : 1;
  }
  return size;
}

/** Range of sort keys: inclusive start, exclusive end. */
interface Range {
  readonly from: string;
  readonly until: string;
}

/** Above every sort key. */
const END = '\uffff';

/** Returns the partition and range of a query. */
function keyCondition(input: Input): { pk: string; range: Range } {
  const names: Record<string, string> = input.ExpressionAttributeNames ?? {};
  const values: Item = input.ExpressionAttributeValues ?? {};
  const expression = String(input.KeyConditionExpression)
    .replace(/#\w+/g, (name) => names[name] ?? name)
    .trim();
  const sortKey = sortKeyOf(input.IndexName);
  const [, pk, rest = ''] = /^pk = (:\w+) AND (.+)$/.exec(expression) ?? [];
  // Numbers become strings that sort in the same order.
  const value = (name = '') => values[name]?.S ?? padId(Number(values[name]?.N));
  const range = rangeOf(rest.replaceAll(sortKey, 'key'), value);
  if (pk && range) return { pk: value(pk), range };
  throw unsupported('KeyConditionExpression', input);
}

function rangeOf(condition: string, value: (name?: string) => string): Range | undefined {
  // The next string in sort order.
  const after = (text: string) => `${text}\0`;
  const [, from, to] = /^key BETWEEN (:\w+) AND (:\w+)$/.exec(condition) ?? [];
  if (from) return { from: value(from), until: after(value(to)) };
  const [, prefix] = /^begins_with\(key, ?(:\w+)\)$/.exec(condition) ?? [];
  if (prefix) return { from: value(prefix), until: value(prefix) + END };
  const [, operator, name] = /^key (=|>=|>|<=|<) (:\w+)$/.exec(condition) ?? [];
  if (!operator) return undefined;
  const text = value(name);
  return {
    from: operator === '>' ? after(text) : operator.startsWith('<') ? '' : text,
    until: operator === '<' ? text : operator.startsWith('>') ? END : after(text),
  };
}

/** Ids in the order of a query's items. */
interface Ids {
  readonly length: number;
  at(position: number): number;
}

/** Returns the ids that a query has left: those in its range, after its start key. */
function pendingIds(input: Input, merchantData: Merchant, range: Range): Ids {
  const forward = input.ScanIndexForward !== false;
  const start = input.ExclusiveStartKey && idInSortKey(input.ExclusiveStartKey[KEY.sort].S);
  if (input.IndexName === IDENTITY_NUMBER_INDEX.name) {
    if (start || !forward) throw unsupported('paging in the identity number index', input);
    const ids = idsWithNumber(merchantData, range.from);
    return { length: ids.length, at: (position) => ids[position] as number };
  }
  if (input.IndexName === undefined && range.from <= 'SEQUENCE' && range.until > 'SEQUENCE') {
    throw unsupported('a range over more than customers', input);
  }
  const keyOf = (id: number) => (input.IndexName === undefined ? customerSortKey(id) : padId(id));
  let first = firstFrom(range.from, merchantData, keyOf);
  let last = firstFrom(range.until, merchantData, keyOf) - 1;
  if (start && forward) first = Math.max(first, start + 1);
  if (start && !forward) last = Math.min(last, start - 1);
  return {
    length: Math.max(0, last - first + 1),
    at: (position) => (forward ? first + position : last - position),
  };
}

/** Returns the first id whose key is at least `text`; one more than the last if there is none. */
function firstFrom(text: string, { count }: Merchant, keyOf: (id: number) => string): number {
  let low = 1;
  let high = count + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(middle) < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function idsWithNumber({ shape, count }: Merchant, digits: string): number[] {
  const ids: number[] = [];
  for (let id = 1; id <= Math.min(VARIETY, count); id += 1) {
    const { system, fields } = customerOf(shape, id);
    if (toSearchAttributes(system, fields).identityNumber !== digits) continue;
    for (let same = id; same <= count; same += VARIETY) ids.push(same);
  }
  return ids.sort((a, b) => a - b);
}

function projectionOf(input: Input): string[] | undefined {
  const names: Record<string, string> = input.ExpressionAttributeNames ?? {};
  const expression = input.ProjectionExpression as string | undefined;
  return expression?.split(',').map((name) => names[name.trim()] ?? name.trim());
}

function unsupported(what: string, input: Input): UnsupportedRequestError {
  return new UnsupportedRequestError(
    `The canned table does not support ${what}: ${JSON.stringify(input)}`,
  );
}

/** Writes a response to a buffer that is reused for the next. */
class Writer {
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #position = 0;

  restart(): void {
    this.#position = 0;
  }

  bytes(bytes: Buffer): void {
    this.#position += bytes.copy(this.#buffer, this.#position);
  }

  /** Writes short ASCII strings, several for each item, faster than `text`. */
  ascii(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      this.#buffer[this.#position + index] = text.charCodeAt(index);
    }
    this.#position += text.length;
  }

  text(text: string): void {
    this.#position += this.#buffer.write(text, this.#position);
  }

  /** Valid until the next restart. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#position);
  }
}

/** Returns the id zero-padded, so that strings sort like numbers. */
function padId(id: number): string {
  return customerSortKey(id).slice(CUSTOMER_PREFIX.length);
}
