import { createHash } from 'node:crypto';

const HASH_BYTES = 8;
/** Rows for which there is room at first. */
const FIRST_ROWS = 1_024;
/** Maximum customers and rows that are named of one key. */
export const MAX_NAMED = 10;

/**
 * The keys of a file's rows in one field, and which customers have them. A key takes 28 bytes, so that
 * a million rows fit into memory: it is kept as eight bytes of a hash, which two of a million keys
 * share with one in 37 million. Without keys it takes nothing.
 */
export class KeyTable {
  #hashes = new Uint32Array(0);
  /** Rows so far; a row without a key takes its place. */
  #rows = 0;
  #keys = 0;
  /** Row with a hash, plus one, by the hash; open addressing. */
  #slots = new Int32Array(0);
  /** Next row with the same key, plus one. */
  #next = new Int32Array(0);
  /** First row of the chain with the same key. */
  #head = new Int32Array(0);
  /** Made if there is one. */
  #customers: Customers | undefined;
  /** Customers whose key has more zeros at its beginning; made if there is one. */
  #withZeros: Customers | undefined;

  /** Adds the next row, with its key if it has one. */
  add(key: string | undefined): void {
    if (key !== undefined) {
      const at = 2 * this.#rows;
      if (at >= this.#hashes.length) {
        const larger = new Uint32Array(2 * Math.max(at, FIRST_ROWS));
        larger.set(this.#hashes);
        this.#hashes = larger;
      }
      const [high, low] = hashOf(key);
      this.#hashes[at] = high;
      this.#hashes[at + 1] = low;
      this.#keys += 1;
    }
    this.#rows += 1;
  }

  /**
   * Ends adding, so that rows can be found by their keys.
   *
   * @param leads says which rows come before the others with their key, so that they are found without
   * passing over these: a file can have a key in each of its rows. Default: all.
   */
  complete(leads: (row: number) => boolean = () => true): void {
    const rows = this.#keys === 0 ? 0 : this.#rows;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * this.#keys + 1)));
    this.#next = new Int32Array(rows);
    this.#head = new Int32Array(rows).fill(-1);
    for (const isLeading of [false, true]) {
      // From the last to the first, so that each chain begins with its first row.
      for (let row = rows - 1; row >= 0; row -= 1) {
        if (!this.#hasKey(row) || leads(row) !== isLeading) continue;
        const slot = this.#slotOf(
          this.#hashes[2 * row] as number,
          this.#hashes[2 * row + 1] as number,
        );
        this.#next[row] = this.#slots[slot] as number;
        this.#slots[slot] = row + 1;
      }
    }
    for (const first of this.#slots) {
      for (let row = first - 1; row >= 0; row = (this.#next[row] as number) - 1) {
        this.#head[row] = first - 1;
      }
    }
  }

  /** Notes that a customer has a key, if a row has it. */
  note(key: string, id: number): void {
    const row = this.#rowOf(key);
    if (row < 0) return;
    this.#customers ??= new Customers(this.#rows);
    this.#customers.add(row, id);
  }

  /** Notes that a customer has a key with more zeros at its beginning, if a row has it. */
  noteWithZeros(key: string, id: number): void {
    const row = this.#rowOf(key);
    if (row < 0) return;
    this.#withZeros ??= new Customers(this.#rows);
    this.#withZeros.add(row, id);
  }

  /** Returns ids of customers that may have the key of a row, at most 11. */
  customers(row: number): readonly number[] {
    return this.#customers?.of(this.#head[row] as number) ?? [];
  }

  /** Returns ids of customers that may have the key of a row with more zeros at its beginning. */
  customersWithZeros(row: number): readonly number[] {
    return this.#withZeros?.of(this.#head[row] as number) ?? [];
  }

  /** Yields the rows with the same key as a row, itself included: those that lead, then the others, each in order. */
  *sameKey(row: number): Generator<number> {
    const head = this.#head[row] as number;
    for (let at = head; at >= 0; at = (this.#next[at] as number) - 1) yield at;
  }

  #hasKey(row: number): boolean {
    const at = 2 * row;
    // Rows after the last key have no place.
    return at < this.#hashes.length && (this.#hashes[at] !== 0 || this.#hashes[at + 1] !== 0);
  }

  #rowOf(key: string): number {
    const [high, low] = hashOf(key);
    return (this.#slots[this.#slotOf(high, low)] as number) - 1;
  }

  /** Returns the slot of a hash, or the free one that it would have. */
  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) return slot;
      if (this.#hashes[2 * row] === high && this.#hashes[2 * row + 1] === low) return slot;
    }
  }
}

/** Ids of customers by row: most rows have at most one. */
class Customers {
  readonly #first: Float64Array;
  readonly #more = new Map<number, number[]>();

  constructor(rows: number) {
    this.#first = new Float64Array(rows);
  }

  add(row: number, id: number): void {
    const first = this.#first[row];
    if (first === 0) this.#first[row] = id;
    if (first === 0 || first === id) return;
    const more = this.#more.get(row);
    if (!more) this.#more.set(row, [id]);
    else if (more.length < MAX_NAMED && !more.includes(id)) more.push(id);
  }

  of(row: number): readonly number[] {
    const first = this.#first[row] ?? 0;
    return first === 0 ? [] : [first, ...(this.#more.get(row) ?? [])];
  }
}

function hashOf(key: string): [high: number, low: number] {
  const hash = createHash('sha256').update(key).digest().subarray(0, HASH_BYTES);
  return [hash.readUInt32LE(0), hash.readUInt32LE(4)];
}
