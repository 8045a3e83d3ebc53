import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import db, { type Done, type Store, type StoreItem, type StoreTable } from 'dynalite/db/index.js';
import type { DynamoDbStreams } from './dynamodb-streams.ts';

/** One operation of a LevelDB batch. */
export type Write =
  | { readonly type: 'put'; readonly key: string; readonly value: StoreItem }
  | { readonly type: 'del'; readonly key: string };

/** Returns a function that returns the store of the dynalite server that is created next. */
export function captureStore(): () => Store {
  let store: Store;
  const { create } = db;
  db.create = (options) => {
    store = create(options);
    return store;
  };
  return () => store;
}

/**
 * Completes what a killed process has begun: tables that are being created or changed become ACTIVE, those
 * that are being deleted go with their items. dynalite does so by timers, which end with the process.
 */
export async function completeTableChanges({ db }: Store): Promise<void> {
  for await (const [key, table] of db.iterator<StoreTable>(keysFrom('table~'))) {
    const { TableName, TableStatus, GlobalSecondaryIndexes: indexes } = table;
    if (TableStatus === 'ACTIVE') continue;
    if (TableStatus === 'DELETING') {
      for (const kind of ['item-', 'index-local~', 'index-global~', 'tag-']) {
        await db.clear(keysFrom(`${kind}${TableName}~`));
      }
      await db.del(key);
      continue;
    }
    await db.put(key, {
      ...table,
      TableStatus: 'ACTIVE',
      ...(indexes && {
        GlobalSecondaryIndexes: indexes.map((index) => ({ ...index, IndexStatus: 'ACTIVE' })),
      }),
    });
  }
}

/** Returns the range of the keys with a prefix: all others of theirs are before `~`. */
function keysFrom(prefix: string) {
  return { gt: prefix, lt: `${prefix}~` };
}

/**
 * Patches dynalite to write an item, its index entries and its stream record in one atomic batch. It
 * writes them one after the other, so that a crash in between leaves index entries without an item
 * permanently.
 *
 * dynalite stores an item under `item-<table>~<key>`, and an index entry under
 * `index-global~<table>~<index>~<key>`. It then writes the item once more, which {@link skipSecondWrites}
 * prevents.
 */
export function writeItemsAtomically(streams: DynamoDbStreams): void {
  db.updateIndexes = (_store, table, existing, item, done) => {
    if (!item && !existing) return done();
    streams
      .write(writesOf(table, existing, item), [{ table, existing, item }])
      .then(() => done(), done);
  };
}

/** Has a store leave out the second write of an item, which is without effect. */
export function skipSecondWrites(store: Store): void {
  const { getItemDb } = store;
  store.getItemDb = (name) =>
    Object.assign(getItemDb(name), {
      put: (_key: string, _item: StoreItem, done: Done) => done(null),
      del: (_key: string, done: Done) => done(null),
    });
}

/**
 * Has a store keep the tables in memory. It reads a table for each operation, as often as an item, and
 * parses its definition.
 */
export function cacheTables(store: Store): void {
  const { getTable, tableDb } = store;
  const tables = new Map<string, StoreTable>();
  let writes = 0;
  for (const operation of ['put', 'del'] as const) {
    const write = tableDb[operation] as (...parameters: unknown[]) => void;
    tableDb[operation] = (...parameters: unknown[]) => {
      const done = parameters.pop() as Done;
      const clear = () => {
        writes += 1;
        tables.clear();
      };
      clear();
      write(...parameters, (error: Error | null) => {
        clear();
        done(error);
      });
    };
  }
  // Operations on tables themselves, which may change what they read, have three parameters.
  store.getTable = (
    ...parameters: [string, Done<StoreTable>] | [string, false, Done<StoreTable>]
  ) => {
    if (parameters.length === 3) return getTable(...parameters);
    const [name, done] = parameters;
    const cached = tables.get(name);
    if (cached) return done(null, cached);
    const before = writes;
    getTable(name, (error, table) => {
      if (!error && writes === before) tables.set(name, table);
      done(error, table);
    });
  };
}

/** Returns the LevelDB writes that put or delete an item and its index entries. */
export function writesOf(
  table: StoreTable,
  existing: StoreItem | undefined,
  item: StoreItem | null,
): Write[] {
  const { puts, deletes } = db.getIndexActions(
    table.GlobalSecondaryIndexes ?? [],
    existing,
    item,
    table,
  );
  const key = `item-${table.TableName}~${db.createKey(item ?? existing ?? {}, table)}`;
  return [
    ...deletes.map((entry): Write => ({ type: 'del', key: keyOf(table, entry) })),
    ...puts.map((entry): Write => ({ type: 'put', key: keyOf(table, entry), value: entry.item })),
    item ? { type: 'put', key, value: item } : { type: 'del', key },
  ];
}

/** Iterator of LevelDB. */
interface Iterator {
  close(): Promise<void>;
  return?(): Promise<void>;
}

/**
 * Patches LevelDB's iterators so that dynalite closes them. It calls `return`, which they lack, so
 * that each query leaks an iterator and its native memory.
 */
export function closeIterators(): void {
  // The copy that dynalite uses.
  const level = createRequire(import.meta.resolve('dynalite'))('abstract-level');
  for (const { prototype } of [level.AbstractKeyIterator, level.AbstractValueIterator] as {
    prototype: Iterator;
  }[]) {
    prototype.return = function (this: Iterator) {
      return this.close();
    };
  }
}

/** Patches dynalite to compute the checksums of responses by Node: its own is written in JavaScript. */
export function useNativeChecksums(): void {
  createRequire(import.meta.resolve('dynalite'))('buffer-crc32').unsigned = crc32;
}

/** What dynalite parses an expression into. */
interface Parser {
  parse(expression: string, options: object): unknown;
}

/**
 * Patches dynalite to parse each condition without placeholders once, such as `attribute_not_exists(pk)`,
 * which each Put of a transaction has.
 */
export function cacheConditions(): void {
  const parser: Parser = createRequire(import.meta.resolve('dynalite'))('./db/conditionParser');
  const { parse } = parser;
  const parsed = new Map<string, unknown>();
  parser.parse = (expression, options) => {
    if (/[#:]/.test(expression)) return parse(expression, options);
    if (!parsed.has(expression)) parsed.set(expression, parse(expression, options));
    return parsed.get(expression);
  };
}

function keyOf({ TableName }: StoreTable, { index, key }: { index: string; key: string }): string {
  return `index-global~${TableName}~${index}~${key}`;
}
