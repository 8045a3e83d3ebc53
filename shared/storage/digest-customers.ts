import { createHash } from 'node:crypto';
import { retryWhileThrottled } from '../aws-errors.ts';
import { untilDeadline } from '../concurrency.ts';
import { MAX_DIGEST_PART } from '../domain/limits.ts';
import { DIGEST_ROWS } from '../formats/digest.ts';
import { queryInParallel } from './parallel-query.ts';
import { queryRows, type Rows } from './serialized-items/index.ts';
import { customersIn, type IdRange, idInSortKey } from './table.ts';

/** Time after which a digest ends: API Gateway waits for 29 seconds, and a throttled read for 12. */
const TIME_LIMIT_MS = 15_000;

/** Number and hash of the customers of a range of ids. */
interface DigestPart extends IdRange {
  readonly count: number;
  /** SHA-256 of their canonical forms by ascending id, in lower-case hexadecimal. */
  readonly hash: string;
}

/** The parts that a call has computed. */
export interface Digest {
  readonly parts: readonly DigestPart[];
  /** Customers of the parts. */
  readonly count: number;
  /** Id at which the next call starts; undefined if the range is complete. */
  readonly next: number | undefined;
}

/** What a digest is of, and until when it may be computed. */
export interface DigestOptions {
  readonly range: IdRange;
  /** Ids of each part; the last can have fewer. */
  readonly partLength: number;
  /** Returns the highest id in use; called only if one page is not enough. */
  readonly newestId: () => Promise<number>;
  readonly deadline: AbortSignal;
  /** @default 15 seconds */
  readonly timeLimitMs?: number;
  /** @default MAX_DIGEST_PART */
  readonly maxCustomers?: number;
}

/**
 * Returns the number and a hash of the customers of each part of a range of ids. It ends with the part
 * that reaches {@link MAX_DIGEST_PART} customers; or after 15 seconds, and the last part is then
 * shorter. Reads each customer once, eventually consistently.
 *
 * @throws the deadline's reason.
 */
export async function digestCustomers(merchantId: string, options: DigestOptions): Promise<Digest> {
  const { range, partLength, newestId, deadline } = options;
  const { timeLimitMs = TIME_LIMIT_MS, maxCustomers = MAX_DIGEST_PART } = options;
  const started = performance.now();
  const digest = new DigestBuilder(range, partLength);
  const readPage = async (part: IdRange) => {
    const query = customersIn(merchantId, part);
    const { rows, units, next } = await retryWhileThrottled(() => queryRows(query, DIGEST_ROWS));
    const lastEvaluatedId = next && idInSortKey(next.sk?.S);
    return { value: { rows, end: lastEvaluatedId ?? part.to }, size: units, lastEvaluatedId };
  };
  while (digest.next <= range.to && digest.count < maxCustomers) {
    // As many parts as surely have no more customers than the call may read, and so none ahead.
    const parts = Math.max(1, Math.floor((maxCustomers - digest.count) / partLength));
    const to = Math.min(range.to, digest.next + parts * partLength - 1);
    const pages = queryInParallel({ from: digest.next, to }, readPage, newestId);
    for await (const { rows, end } of untilDeadline(deadline, pages)) {
      digest.add(rows);
      digest.closeUntil(end);
      if (performance.now() - started > timeLimitMs) return digest.endAt(end);
    }
    digest.closeUntil(to);
  }
  return digest.endAt(digest.next - 1);
}

/** Collects rows into parts, by ascending id. */
class DigestBuilder {
  /** Id at which the open part starts. */
  next: number;
  /** Customers of all parts so far. */
  count = 0;
  readonly #range: IdRange;
  readonly #partLength: number;
  readonly #parts: DigestPart[] = [];
  #hash = createHash('sha256');
  #partCount = 0;

  constructor(range: IdRange, partLength: number) {
    this.#range = range;
    this.#partLength = partLength;
    this.next = range.from;
  }

  add({ text, ids, ends }: Rows): void {
    for (let first = 0, end = 0; first < ids.length; first = end) {
      this.closeUntil((ids[first] as number) - 1);
      while (end < ids.length && (ids[end] as number) <= this.#lastOfPart) end += 1;
      this.#hash.update(text.subarray(ends[first - 1] ?? 0, ends[end - 1]));
      this.#partCount += end - first;
      this.count += end - first;
    }
  }

  /** Closes the parts up to an id: no more rows of theirs will come. */
  closeUntil(id: number): void {
    while (this.next <= this.#range.to && this.#lastOfPart <= id) this.#close(this.#lastOfPart);
  }

  /** Closes the open part at an id, within it if need be. */
  endAt(id: number): Digest {
    if (id >= this.next) this.#close(id);
    const next = this.next <= this.#range.to ? this.next : undefined;
    return { parts: this.#parts, count: this.count, next };
  }

  get #lastOfPart(): number {
    return Math.min(this.#range.to, this.next + this.#partLength - 1);
  }

  #close(to: number): void {
    const hash = this.#hash.digest('hex');
    this.#parts.push({ from: this.next, to, count: this.#partCount, hash });
    this.#hash = createHash('sha256');
    this.#partCount = 0;
    this.next = to + 1;
  }
}
