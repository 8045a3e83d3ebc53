import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import type { Random } from './random.ts';

/** An item of the simulated table, as the document client has it. */
type Item = Record<string, unknown>;

/** A command of the SDK: its class and its input. */
interface Command {
  readonly constructor: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: inputs differ by command
  readonly input: any;
}

/** How requests take their time; the defaults are harsh, and no request fails. */
export interface Latency {
  /** Returns how long a request takes to reach the table, and its response to come back. */
  readonly delayMs: (random: Random) => number;
  /** Returns how old the replica of an eventually consistent read is; of a query by its projection. */
  readonly lagMs: (random: Random, projection?: string) => number;
}

/**
 * A simulation of DynamoDB and of time: requests and timers are events that run one after the other in
 * the order of their time, which a seed decides. Code that awaits them is the product's own.
 */
export class Simulation {
  /** Current time, in milliseconds since 1970. */
  now = 1_800_000_000_000;
  /** Called when an item is written. */
  onWrite: (key: string, existing: Item | undefined, item: Item | undefined) => void = () => {};
  /** Whether conditions of writes are ignored: a wrong variant. */
  ignoresConditions = false;
  /** Whether batches are read from replicas, even if they are to be consistent: a wrong variant. */
  readsReplicas = false;
  /** Maximum items of a page of a query. */
  pageSize = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  readonly #latency: Latency;
  readonly #events: { readonly at: number; readonly order: number; readonly run: () => void }[] =
    [];
  /** Versions of each item, the newest last. */
  readonly #table = new Map<string, { readonly at: number; readonly item: Item | undefined }[]>();
  /** Keys that ever had an item, by their partition, in order. */
  readonly #keys = new Map<string, string[]>();
  /** Tokens of transactions that were executed. */
  readonly #tokens = new Set<string>();
  #order = 0;

  constructor(random: Random, latency: Latency) {
    this.#random = random;
    this.#latency = latency;
  }

  /** Resolves after a time. */
  sleep(ms: number): Promise<void> {
    return new Promise((run) => {
      this.#order += 1;
      this.#events.push({ at: this.now + ms, order: this.#order, run });
    });
  }

  /** Runs events until none is left, or until a condition is true: what waits then never goes on. */
  async run(isEnough: () => boolean = () => false): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      if (this.#events.length === 0 || isEnough()) return;
      this.#events.sort((a, b) => b.at - a.at || b.order - a.order);
      const next = this.#events.pop();
      this.now = Math.max(this.now, next?.at ?? 0);
      next?.run();
    }
  }

  /** Executes a command after a delay, and returns its output after another. */
  async send(command: Command): Promise<unknown> {
    await this.sleep(this.#latency.delayMs(this.#random));
    const output = this.#execute(command);
    await this.sleep(this.#latency.delayMs(this.#random));
    if (output instanceof Error) throw output;
    return { ...(output as object), $metadata: { attempts: 1 } };
  }

  /** Returns an item as it is, or as a replica has it. */
  read(key: string, isConsistent = true, projection?: string): Item | undefined {
    const time = isConsistent ? this.now : this.now - this.#latency.lagMs(this.#random, projection);
    return this.#table.get(key)?.findLast(({ at }) => at <= time)?.item;
  }

  /** Puts or deletes an item. */
  write(key: string, item: Item | undefined): void {
    const existing = this.read(key);
    const versions = this.#table.get(key) ?? [];
    if (versions.length === 0) this.#addKey(key);
    versions.push({ at: this.now, item });
    this.#table.set(key, versions);
    this.onWrite(key, existing, item);
  }

  #addKey(key: string): void {
    const [partition = ''] = key.split('|');
    const keys = this.#keys.get(partition) ?? [];
    const next = keys.findLastIndex((existing) => existing < key) + 1;
    keys.splice(next, 0, key);
    this.#keys.set(partition, keys);
  }

  /** Returns the versions of an item, the oldest first; it is undefined where it was deleted. */
  versions(key: string): readonly { readonly at: number; readonly item: Item | undefined }[] {
    return this.#table.get(key) ?? [];
  }

  /** Returns the keys that ever had an item. */
  keys(prefix: string): string[] {
    return [...this.#table.keys()].filter((key) => key.startsWith(prefix));
  }

  #execute({ constructor: { name }, input }: Command): unknown {
    switch (name) {
      case 'GetCommand':
        return { Item: this.read(keyOf(input.Key), input.ConsistentRead) };
      case 'GetItemCommand': {
        const item = this.read(keyOf(plain(input.Key)), input.ConsistentRead);
        return { Item: item && attributes(item) };
      }
      case 'BatchGetItemCommand': {
        const requests = Object.entries<{ Keys: Typed[]; ConsistentRead?: boolean }>(
          input.RequestItems,
        );
        const items = ([table, { Keys, ConsistentRead }]: (typeof requests)[number]) => {
          const isConsistent = ConsistentRead === true && !this.readsReplicas;
          const found = Keys.map((key) => this.read(keyOf(plain(key)), isConsistent));
          return [table, found.flatMap((item) => (item ? [attributes(item)] : []))];
        };
        return { Responses: Object.fromEntries(requests.map(items)) };
      }
      case 'QueryCommand':
        return this.#query(input);
      case 'PutCommand':
      case 'DeleteCommand':
      case 'UpdateCommand': {
        const write = { [name.replace('Command', '')]: input };
        if (!this.#isPossible(write)) return conditionFailed();
        return { Attributes: this.#apply(write) };
      }
      case 'TransactWriteCommand': {
        const { TransactItems: writes, ClientRequestToken: token } = input;
        if (this.#tokens.has(token)) return {};
        const failed = writes.map((write: Write) => !this.#isPossible(write));
        if (failed.includes(true)) return cancelled(failed);
        for (const write of writes) this.#apply(write);
        this.#tokens.add(token);
        return {};
      }
      default:
        throw new Error(`The simulation has no ${name}.`);
    }
  }

  /** A page of a query of the table, or of an index, which lacks items without its sort key. */
  #query(input: Write): unknown {
    const { IndexName, ConsistentRead, ExclusiveStartKey, FilterExpression: filter } = input;
    const names = input.ExpressionAttributeNames;
    const values = plain(input.ExpressionAttributeValues);
    const condition: string = input.KeyConditionExpression;
    const start = ExclusiveStartKey && (plain(ExclusiveStartKey).sk as string);
    const items = (this.#keys.get(String(values[':pk'])) ?? [])
      .map((key) => this.read(key, IndexName ? false : ConsistentRead, input.ProjectionExpression))
      .filter((item): item is Item => item !== undefined && isMet(condition, item, { values }))
      .filter(({ sk }) => start === undefined || String(sk) > start);
    if (input.ScanIndexForward === false) items.reverse();
    const page = items.slice(0, Math.min(input.Limit ?? this.pageSize, this.pageSize));
    const last = items.length > page.length ? page.at(-1) : undefined;
    const found = page.filter((item) => !filter || isMet(filter, item, { names, values }));
    return {
      Items: found.map(attributes),
      Count: found.length,
      ScannedCount: page.length,
      LastEvaluatedKey: last && attributes(last),
    };
  }

  #isPossible(write: Write): boolean {
    const [input] = Object.values(write);
    const { ConditionExpression: condition, ExpressionAttributeNames: names } = input;
    const item = this.read(keyOf(input.Item ?? input.Key)) ?? {};
    const values = input.ExpressionAttributeValues;
    return !condition || this.ignoresConditions || isMet(condition, item, { names, values });
  }

  /** Executes a write, and returns the item. */
  #apply({ Put, Delete, Update }: Write): Item | undefined {
    if (Put) this.write(keyOf(Put.Item), withoutUndefined(Put.Item));
    if (Delete) this.write(keyOf(Delete.Key), undefined);
    if (!Update) return undefined;
    const key = keyOf(Update.Key);
    const item = updated({ ...Update.Key, ...this.read(key) }, Update);
    this.write(key, item);
    return item;
  }
}

/** A write of a transaction, or a condition. */
// biome-ignore lint/suspicious/noExplicitAny: inputs differ by write
type Write = Readonly<Record<string, any>>;

interface Expression {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values: Item;
}

/** A comparison of an attribute, or the condition that it exists, or that it does not. */
interface Term {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

/** Expressions by their text, as alternatives of terms. Parsing them takes longer than all the rest. */
const parsed = new Map<string, readonly (readonly Term[])[]>();

/** Parses an expression of comparisons, without brackets. */
function parse(expression: string): readonly (readonly Term[])[] {
  const toTerm = (text: string): Term => {
    const [, operator, existing] = /^(attribute_(?:not_)?exists)\((\S+)\)$/.exec(text) ?? [];
    const [name = '', comparison = '', value = ''] = text.split(' ');
    return operator && existing
      ? { name: existing, operator, value: '' }
      : { name, operator: comparison, value };
  };
  const alternatives = expression
    .replace(/(\S+) BETWEEN (\S+) AND (\S+)/g, '$1 >= $2 AND $1 <= $3')
    .split(' OR ')
    .map((all) => all.split(' AND ').map(toTerm));
  parsed.set(expression, alternatives);
  return alternatives;
}

/** Returns whether an item meets an expression of comparisons, without brackets. */
function isMet(expression: string, item: Item, { names = {}, values }: Expression): boolean {
  const isTermMet = ({ name, operator, value }: Term) => {
    const attribute = item[names[name] ?? name];
    if (operator === 'attribute_exists') return attribute !== undefined;
    if (operator === 'attribute_not_exists') return attribute === undefined;
    return compare(attribute, operator, values[value]);
  };
  return (parsed.get(expression) ?? parse(expression)).some((all) => all.every(isTermMet));
}

function compare(value: unknown, operator: string, other: unknown): boolean {
  if (value === undefined) return false;
  const [a, b] = [comparable(value), comparable(other)];
  if (operator === '=') return a === b;
  if (operator === '<') return a < b;
  return operator === '<=' ? a <= b : a >= b;
}

/** Returns a value that compares as DynamoDB does; bytes compare as their characters. */
function comparable(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : (value as string);
}

/** Returns an item after an update expression of ADD and SET. */
function updated(item: Item, update: Write): Item {
  const { UpdateExpression, ExpressionAttributeValues: values } = update;
  const after = { ...item };
  for (const [, clause, actions] of UpdateExpression.matchAll(
    /(ADD|SET) (.+?)(?= ADD | SET |$)/g,
  )) {
    for (const action of actions.split(', ')) {
      const [name, value] = action.split(clause === 'ADD' ? ' ' : ' = ');
      after[name] = clause === 'ADD' ? Number(after[name] ?? 0) + values[value] : values[value];
    }
  }
  return after;
}

function conditionFailed(): Error {
  return new ConditionalCheckFailedException({ message: 'A condition failed.', $metadata: {} });
}

function cancelled(failed: readonly boolean[]): Error {
  return new TransactionCanceledException({
    message: 'Conditions failed.',
    $metadata: {},
    CancellationReasons: failed.map((isFailed) => ({
      Code: isFailed ? 'ConditionalCheckFailed' : 'None',
    })),
  });
}

function withoutUndefined(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}

function keyOf({ pk, sk }: Item): string {
  return `${pk}|${sk}`;
}

/** A value with its type, as the DynamoDB client has it. */
interface TypedValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: Uint8Array;
}
type Typed = Readonly<Record<string, TypedValue>>;

/** Returns plain values of typed ones. */
function plain(typed: Typed): Item {
  return Object.fromEntries(
    Object.entries(typed).map(([name, { S, N, B }]) => [name, S ?? B ?? Number(N)]),
  );
}

/** Returns typed values of plain ones. */
function attributes(item: Item): Record<string, object> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, typed(value)]));
}

function typed(value: unknown): object {
  if (Array.isArray(value)) return { L: value.map(typed) };
  if (value instanceof Uint8Array) return { B: value };
  if (typeof value === 'boolean') return { BOOL: value };
  return typeof value === 'number' ? { N: String(value) } : { S: String(value) };
}
