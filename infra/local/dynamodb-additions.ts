import { createRequire } from 'node:module';
import db, { type StoreItem, type StoreTable } from 'dynalite/db/index.js';

/** One operation of a LevelDB batch. */
type Write =
  | { readonly type: 'put'; readonly key: string; readonly value: StoreItem }
  | { readonly type: 'del'; readonly key: string };

/**
 * Makes dynalite write an item in one batch with its entries in the indexes, as DynamoDB never
 * shows one without the other for long. By itself it writes one after the other: killed in
 * between, it would count and find customers for good who are not there.
 *
 * It keeps an item under `item-<table>~<key>`, and an entry under
 * `index-global~<table>~<index>~<key>`; the item it then writes once more, to no effect.
 */
export function writeItemsWhole(): void {
  db.updateIndexes = (store, table, existing, item, done) => {
    const either = item ?? existing;
    if (!either) return done();
    const { puts, deletes } = db.getIndexActions(
      table.GlobalSecondaryIndexes ?? [],
      existing,
      item,
      table,
    );
    if (puts.length + deletes.length === 0) return done();
    const key = `item-${table.TableName}~${db.createKey(either, table)}`;
    const writes: Write[] = [
      ...deletes.map((entry): Write => ({ type: 'del', key: keyOf(table, entry) })),
      ...puts.map((entry): Write => ({ type: 'put', key: keyOf(table, entry), value: entry.item })),
      item ? { type: 'put', key, value: item } : { type: 'del', key },
    ];
    store.db.batch(writes, done);
  };
}

/** What reads LevelDB. */
interface Iterator {
  close(): Promise<void>;
  return?(): Promise<void>;
}

/**
 * Makes dynalite close what it has read with. It calls `return` for that, which LevelDB's iterators
 * do not have, so that each query would leave one behind, with memory outside of JavaScript.
 */
export function closeIterators(): void {
  // The very copy that dynalite uses.
  const level = createRequire(import.meta.resolve('dynalite'))('abstract-level');
  for (const { prototype } of [level.AbstractKeyIterator, level.AbstractValueIterator] as {
    prototype: Iterator;
  }[]) {
    prototype.return = function (this: Iterator) {
      return this.close();
    };
  }
}

function keyOf({ TableName }: StoreTable, { index, key }: { index: string; key: string }): string {
  return `index-global~${TableName}~${index}~${key}`;
}
