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

function keyOf({ TableName }: StoreTable, { index, key }: { index: string; key: string }): string {
  return `index-global~${TableName}~${index}~${key}`;
}
