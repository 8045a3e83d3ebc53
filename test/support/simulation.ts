import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
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
  /** Returns how old the replica of an eventually consistent read is. */
  readonly lagMs: (random: Random) => number;
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
  readonly #random: Random;
  readonly #latency: Latency;
  readonly #events: { readonly at: number; readonly order: number; readonly run: () => void }[] =
    [];
  /** Versions of each item, the newest last. */
  readonly #table = new Map<string, { readonly at: number; readonly item: Item | undefined }[]>();
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

  /** Runs events until none is left. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      if (this.#events.length === 0) return;
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
    return output;
  }

  /** Returns an item as it is, or as a replica has it. */
  read(key: string, isConsistent = true): Item | undefined {
    const time = isConsistent ? this.now : this.now - this.#latency.lagMs(this.#random);
    return this.#table.get(key)?.findLast(({ at }) => at <= time)?.item;
  }

  /** Puts or deletes an item. */
  write(key: string, item: Item | undefined): void {
    const existing = this.read(key);
    const versions = this.#table.get(key) ?? [];
    versions.push({ at: this.now, item });
    this.#table.set(key, versions);
    this.onWrite(key, existing, item);
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
      case 'QueryCommand': {
        const { ':pk': pk, ':from': from, ':to': to } = plain(input.ExpressionAttributeValues);
        const keys = this.keys(`${pk}|`).filter((key) => {
          const sk = key.slice(`${pk}|`.length);
          return sk >= String(from) && sk <= String(to);
        });
        const items = keys.sort().map((key) => this.read(key, input.ConsistentRead));
        return { Items: items.flatMap((item) => (item ? [attributes(item)] : [])) };
      }
      case 'PutCommand': {
        const key = keyOf(input.Item);
        if (this.read(key) && !this.ignoresConditions) return conditionFailed();
        this.write(key, input.Item);
        return {};
      }
      case 'UpdateCommand': {
        const key = keyOf(input.Key);
        const existing = this.read(key);
        const { ':next': next, ':marks': marks } = input.ExpressionAttributeValues;
        if (existing && (existing.nextChange as number) >= next) return conditionFailed();
        this.write(key, { ...input.Key, nextChange: next, marks });
        return {};
      }
      default:
        throw new Error(`The simulation has no ${name}.`);
    }
  }
}

function conditionFailed(): Error {
  return new ConditionalCheckFailedException({ message: 'It exists.', $metadata: {} });
}

function keyOf({ pk, sk }: Item): string {
  return `${pk}|${sk}`;
}

/** Returns plain values of typed ones. */
function plain(typed: Readonly<Record<string, { S?: string; N?: string }>>): Item {
  return Object.fromEntries(
    Object.entries(typed).map(([name, { S, N }]) => [name, S ?? Number(N)]),
  );
}

/** Returns typed values of plain ones. */
function attributes(item: Item): Record<string, object> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, typed(value)]));
}

function typed(value: unknown): object {
  if (Array.isArray(value)) return { L: value.map(typed) };
  return typeof value === 'number' ? { N: String(value) } : { S: String(value) };
}
