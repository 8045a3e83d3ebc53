const PAGE_BYTES = 1024 * 1024;
const FIRST_CAPACITY = 1_024;

/**
 * A long list of texts in UTF-8. As strings they would take two to three times the memory, and those
 * that a parser cuts from a larger text would keep that.
 */
export class SharedTexts {
  #pages: Buffer[] = [];
  #used = PAGE_BYTES;
  /** Offset of each text, as if pages were one. */
  #starts = new Uint32Array(FIRST_CAPACITY);
  #lengths = new Uint32Array(FIRST_CAPACITY);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  /** Appends a text that is shorter than a page. */
  add(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#used + bytes >= PAGE_BYTES) {
      this.#pages.push(Buffer.allocUnsafeSlow(PAGE_BYTES));
      this.#used = 0;
    }
    this.#pages.at(-1)?.write(text, this.#used);
    if (this.#count === this.#starts.length) this.#grow();
    this.#starts[this.#count] = (this.#pages.length - 1) * PAGE_BYTES + this.#used;
    this.#lengths[this.#count] = bytes;
    this.#used += bytes;
    this.#count += 1;
  }

  at(index: number): string | undefined {
    const start = this.#starts[index];
    const length = this.#lengths[index];
    if (index >= this.#count || start === undefined || length === undefined) return undefined;
    const from = start % PAGE_BYTES;
    return this.#pages[Math.floor(start / PAGE_BYTES)]?.toString('utf8', from, from + length);
  }

  #grow(): void {
    const starts = new Uint32Array(this.#count * 2);
    const lengths = new Uint32Array(this.#count * 2);
    starts.set(this.#starts);
    lengths.set(this.#lengths);
    this.#starts = starts;
    this.#lengths = lengths;
  }
}
