import { retryWhileThrottled } from '../aws-errors.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { FileRow, MatchField } from '../domain/import.ts';
import { findByIndexKey } from '../storage/find-by-form.ts';
import { type IndexKey, indexKeys, type KeyRange } from '../storage/index-keys.ts';
import { newestId } from '../storage/newest-id.ts';
import { KeyTable, MAX_NAMED } from './key-table.ts';
import { keysOf, keyWithZeros, type RowKey, withoutZeros } from './row-keys.ts';

/** Entries of an index that a pass reads for half a read unit, the price of a query for one key. */
const ENTRIES_OF_HALF_UNIT = 40;
/** Maximum keys of a field that are looked up one by one; their texts are held in memory. */
const MAX_QUERIES = 20_000;
const CONCURRENT_QUERIES = 16;
/** Digits up to which a customerid is looked up with the zeros that a spreadsheet may have dropped. */
const MAX_DIGITS_WITH_ZEROS = 12;
const DIGITS = /^[1-9]\d*$/;
/** Range of the sort keys that begin with a zero. */
const ZEROS: KeyRange = { from: '0', to: '1' };
const FIRST_ROWS = 1_024;

type IndexedField = Exclude<MatchField, 'mexcParamvaluesetsid'>;

/** A key of a row, and who has it. */
export interface RowMatch extends RowKey {
  /** Customers that may have the key, at most eleven: an index can lag behind. */
  readonly customers: readonly number[];
  /** Numbers of the rows, this one included, that have the key; empty if it is the only one. */
  readonly rows: readonly number[];
}

/** What is known of the customers that a row names. */
export interface RowMatches {
  /** The keys that the row fills, in their order. */
  readonly keys: readonly RowMatch[];
  /** The row's customerid, if that is no match field: two customers should not get one. */
  readonly customerid?: RowMatch | undefined;
  /** Customers that may have the first key, but for zeros at its beginning. */
  readonly withZeros: readonly number[];
  /** Numbers of the rows, this one included, whose first key is that of this one. */
  readonly sameKey: readonly number[];
  /** Numbers of the rows, this one included, that name the same customer by their first keys. */
  readonly sameCustomer: readonly number[];
}

/**
 * Finds the customers that the rows of a file name, and the rows that name the same ones. Rows are
 * added one by one in their order, and later go by their index, from 0. A million rows with three keys
 * take about 120 MB.
 */
export class RowMatcher {
  readonly #match: readonly MatchField[];
  /** Match fields in their order, then customerid. */
  readonly #fields: readonly MatchField[];
  readonly #columns: ReadonlyMap<MatchField, KeyColumn>;
  /** Identity numbers with the zeros that a spreadsheet may have dropped. */
  readonly #padded = new KeyColumn();
  /** Numbers of the rows in the file. */
  #numbers = new Uint32Array(FIRST_ROWS);
  /** Which match field is the first that a row fills, plus one; 0 if none is. */
  #firstKey = new Uint8Array(FIRST_ROWS);
  /** The one customer that a row names by the first of its keys; 0 if none or several. */
  #named = new Float64Array(FIRST_ROWS);
  #rows = 0;
  /** Numbers of the rows that name one customer, by its id, if they are several. */
  #sameCustomer: ReadonlyMap<number, readonly number[]> = new Map();

  constructor(match: readonly MatchField[]) {
    this.#match = match;
    this.#fields = [...new Set<MatchField>([...match, 'customerid'])];
    this.#columns = new Map(this.#fields.map((field) => [field, new KeyColumn()]));
  }

  /** Adds the next row. An invalid row is not imported, but is one of those with its key. */
  add(row: FileRow): void {
    if (this.#rows === this.#numbers.length) {
      this.#numbers = grown(this.#numbers, new Uint32Array(2 * this.#rows));
      this.#firstKey = grown(this.#firstKey, new Uint8Array(2 * this.#rows));
      this.#named = grown(this.#named, new Float64Array(2 * this.#rows));
    }
    const keys = keysOf(row, this.#fields);
    for (const [field, column] of this.#columns) {
      column.add(keys.find((each) => each.field === field)?.key);
    }
    if (this.#columns.has('companyno')) this.#padded.add(keyWithZeros(row.fields.companyno));
    this.#numbers[this.#rows] = row.row;
    const first = keys.find(({ field }) => this.#match.includes(field));
    this.#firstKey[this.#rows] = first ? this.#placeOf(first.field) : 0;
    if (first?.field === 'mexcParamvaluesetsid') this.#named[this.#rows] = Number(first.key);
    this.#rows += 1;
  }

  /**
   * Ends adding, and finds the customers. Few keys are looked up one by one; for many an index is read
   * as a whole, if that costs less.
   */
  async find(merchantId: string): Promise<void> {
    for (const [field, { table }] of this.#columns) {
      const place = this.#placeOf(field);
      table.complete((row) => this.#firstKey[row] === place);
    }
    this.#padded.table.complete();
    const customers = await retryWhileThrottled(() => newestId(merchantId));
    if (customers > 0) {
      const maxQueries = Math.min(MAX_QUERIES, customers / ENTRIES_OF_HALF_UNIT);
      for (const [field, column] of this.#columns) {
        if (field === 'customerid') {
          const isKey = this.#match.includes(field);
          await findByCustomerid(merchantId, column, maxQueries, isKey);
        }
        if (field === 'companyno') {
          await findByCompanyno(merchantId, [column, this.#padded], maxQueries);
        }
      }
    }
    this.#findSameCustomers();
  }

  /** Returns what a row names; to be called with the row that was added at the index. */
  matchesOf(row: FileRow, index: number): RowMatches {
    const all = keysOf(row, this.#fields).map((key) => ({
      ...key,
      customers: this.#customersOf(key.field, index, key.key),
      rows: this.#rowsWithKey(key.field, index),
    }));
    const keys = all.filter(({ field }) => this.#match.includes(field));
    const [first] = keys;
    return {
      keys,
      customerid: all.find(({ field }) => !this.#match.includes(field)),
      withZeros: this.#withZeros(first?.field, index),
      sameKey: first ? this.#rowsWithKey(first.field, index, this.#placeOf(first.field)) : [],
      sameCustomer: this.#sameCustomer.get(first?.customers[0] ?? 0) ?? [],
    };
  }

  #customersOf(field: MatchField, index: number, key: string): readonly number[] {
    if (field === 'mexcParamvaluesetsid') return [Number(key)];
    return this.#columns.get(field)?.table.customers(index) ?? [];
  }

  #withZeros(field: MatchField | undefined, index: number): readonly number[] {
    if (field === 'customerid') {
      return this.#columns.get(field)?.table.customersWithZeros(index) ?? [];
    }
    return field === 'companyno' ? this.#padded.table.customers(index) : [];
  }

  /** Returns the numbers of the rows with a row's key; with a place, of those whose first key is there. */
  #rowsWithKey(field: MatchField, index: number, place?: number): number[] {
    const numbers: number[] = [];
    for (const row of this.#columns.get(field)?.table.sameKey(index) ?? []) {
      // They lead.
      if (place !== undefined && this.#firstKey[row] !== place) break;
      numbers.push(this.#numbers[row] as number);
      if (numbers.length > MAX_NAMED) break;
    }
    return numbers.length > 1 ? numbers.sort((a, b) => a - b) : [];
  }

  /** Returns the place of a match field from 1 on; 0 of a field that is none. */
  #placeOf(field: MatchField): number {
    return this.#match.indexOf(field) + 1;
  }

  /** Rows can name one customer by keys in different fields. */
  #findSameCustomers(): void {
    for (let row = 0; row < this.#rows; row += 1) {
      const field = this.#match[(this.#firstKey[row] as number) - 1];
      const [id, ...others] = (field && this.#columns.get(field)?.table.customers(row)) ?? [];
      if (id !== undefined && others.length === 0) this.#named[row] = id;
    }
    const repeated = new Map<number, number[]>();
    const sorted = this.#named.slice(0, this.#rows).sort();
    for (const [at, id] of sorted.entries()) {
      if (id !== 0 && id === sorted[at - 1]) repeated.set(id, []);
    }
    for (let row = 0; repeated.size > 0 && row < this.#rows; row += 1) {
      const rows = repeated.get(this.#named[row] as number);
      if (rows && rows.length <= MAX_NAMED) rows.push(this.#numbers[row] as number);
    }
    this.#sameCustomer = repeated;
  }
}

/** The keys of a field; their texts as well, as long as they are few. */
class KeyColumn {
  readonly table = new KeyTable();
  #texts: string[] | undefined = [];

  add(key: string | undefined): void {
    this.table.add(key);
    if (key === undefined) return;
    if (this.#texts?.length === MAX_QUERIES) this.#texts = undefined;
    this.#texts?.push(key);
  }

  /** Returns the keys if they are at most so many. */
  texts(max: number): readonly string[] | undefined {
    return this.#texts && this.#texts.length <= max ? this.#texts : undefined;
  }
}

/** @param isKey whether rows are matched by it, so that it is looked for with zeros, too. */
async function findByCustomerid(
  merchantId: string,
  column: KeyColumn,
  maxQueries: number,
  isKey: boolean,
): Promise<void> {
  const { table } = column;
  const noteZeros = ({ key, id }: IndexKey) => {
    const text = isKey ? withoutZeros(key) : undefined;
    if (text !== undefined) table.noteWithZeros(text, id);
  };
  const texts = column.texts(maxQueries);
  if (!texts) {
    await passOver(merchantId, 'customerid', (entry) => {
      table.note(entry.key, entry.id);
      noteZeros(entry);
    });
    return;
  }
  const found = new Set<string>();
  await lookUp(merchantId, 'customerid', texts, ({ key, id }) => {
    table.note(key, id);
    found.add(key);
  });
  if (!isKey) return;
  const withZeros = texts.filter((key) => DIGITS.test(key) && !found.has(key)).flatMap(zerosBefore);
  if (withZeros.length <= maxQueries) {
    await lookUp(merchantId, 'customerid', withZeros, noteZeros);
  } else {
    await passOver(merchantId, 'customerid', noteZeros, ZEROS);
  }
}

async function findByCompanyno(
  merchantId: string,
  columns: readonly KeyColumn[],
  maxQueries: number,
): Promise<void> {
  const [texts, padded] = columns.map((column) => column.texts(maxQueries));
  const note = ({ key, id }: IndexKey) => {
    for (const { table } of columns) table.note(key, id);
  };
  if (texts && padded) await lookUp(merchantId, 'companyno', [...texts, ...padded], note);
  else await passOver(merchantId, 'companyno', note);
}

/** Returns a number with one to many zeros before it. */
function zerosBefore(digits: string): string[] {
  const lengths = Array.from({ length: MAX_DIGITS_WITH_ZEROS }, (_, index) => index + 1);
  return lengths
    .filter((length) => length > digits.length)
    .map((length) => digits.padStart(length, '0'));
}

/** Reads the entries of an index that have one of some keys. */
async function lookUp(
  merchantId: string,
  field: IndexedField,
  keys: readonly string[],
  note: (entry: IndexKey) => void,
): Promise<void> {
  await mapConcurrently(new Set(keys), CONCURRENT_QUERIES, async (key) => {
    const ids = await findByIndexKey(merchantId, field, key, retryWhileThrottled);
    for (const id of ids) note({ key, id });
  });
}

async function passOver(
  merchantId: string,
  field: IndexedField,
  note: (entry: IndexKey) => void,
  range?: KeyRange,
): Promise<void> {
  for await (const page of indexKeys(merchantId, field, range)) page.forEach(note);
}

function grown<T extends Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
