/** Ends each text of a column: UTF-8 has no byte 0xff, so that no text contains it. */
const TEXT_END = 0xff;

/** Below this mean distance of matches, comparing bytes here is cheaper than a call for each match. */
const DENSE_BYTES = 100;
/** Matches after which their distance is looked at. */
const MATCHES_PER_CHECK = 16;

/** Returns texts as UTF-8, each followed by {@link TEXT_END}. */
export function encodeTexts(texts: readonly (string | undefined)[]): Uint8Array {
  let maxBytes = texts.length;
  // At most three bytes a code unit.
  for (const text of texts) maxBytes += 3 * (text?.length ?? 0);
  const column = Buffer.allocUnsafe(maxBytes);
  let end = 0;
  for (const text of texts) {
    if (text) end += column.write(text, end);
    column[end] = TEXT_END;
    end += 1;
  }
  return column.subarray(0, end);
}

/** Texts of the entries of a frame, searched without making strings of them. */
export class TextColumn {
  readonly #bytes: Buffer;
  readonly #count: number;
  #ends: Uint32Array | undefined;

  /**
   * @param bytes as {@link encodeTexts} returned them.
   * @param count number of texts.
   */
  constructor(bytes: Buffer, count: number) {
    this.#bytes = bytes;
    this.#count = count;
  }

  /** Bytes in memory. */
  get size(): number {
    return this.#bytes.length + this.#count * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** Returns a text; empty for an entry that has none. */
  at(index: number): string {
    return this.#bytes.toString('utf8', this.#startOf(index), this.#endOf(index));
  }

  /** Clears the marks of texts that do not contain this one, which is not empty. */
  find(text: Uint8Array, marks: Uint8Array): void {
    const bytes = this.#bytes;
    let start = 0;
    let index = 0;
    let matches = 0;
    while (index < marks.length) {
      const found = bytes.indexOf(text, start);
      if (found < 0) {
        marks.fill(0, index);
        return;
      }
      while (this.#endOf(index) < found) {
        marks[index] = 0;
        index += 1;
      }
      // This text contains it. The search continues in the next that is marked.
      index += 1;
      while (index < marks.length && !marks[index]) index += 1;
      matches += 1;
      if (index === marks.length) return;
      start = this.#startOf(index);
      if (matches % MATCHES_PER_CHECK === 0 && start < matches * DENSE_BYTES) {
        this.#findDense(text, marks, index);
        return;
      }
    }
  }

  /** Does the same from an index on, without a call for each match. */
  #findDense(text: Uint8Array, marks: Uint8Array, from: number): void {
    const bytes = this.#bytes;
    const ends = this.#allEnds();
    const first = text[0];
    for (let index = from; index < marks.length; index += 1) {
      if (marks[index]) {
        const last = (ends[index] as number) - text.length;
        let place = index === 0 ? 0 : (ends[index - 1] as number) + 1;
        while (place <= last && !(bytes[place] === first && isAt(text, bytes, place))) place += 1;
        if (place > last) marks[index] = 0;
      }
    }
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#endOf(index - 1) + 1;
  }

  #endOf(index: number): number {
    return this.#allEnds()[index] as number;
  }

  /** Returns where each text ends. Most searches for a rare text do not need it. */
  #allEnds(): Uint32Array {
    if (!this.#ends) {
      const bytes = this.#bytes;
      this.#ends = new Uint32Array(this.#count);
      let index = 0;
      for (let place = 0; place < bytes.length; place += 1) {
        if (bytes[place] === TEXT_END) {
          this.#ends[index] = place;
          index += 1;
        }
      }
    }
    return this.#ends;
  }
}

function isAt(text: Uint8Array, bytes: Uint8Array, place: number): boolean {
  for (let index = 1; index < text.length; index += 1) {
    if (bytes[place + index] !== text[index]) return false;
  }
  return true;
}
