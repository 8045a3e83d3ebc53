import { retryWhileThrottled } from '../aws-errors.ts';
import { type CustomerFilter, isEveryone } from '../domain/customer-filter.ts';
import type { RowFormat } from '../formats/row-format.ts';
import {
  type Estimate,
  estimateMatches,
  hasSnapshot,
  idRanges,
  matchingIds,
} from './customer-index.ts';
import { customerBytes, noteUnits, UNIT_BYTES } from './customer-size.ts';
import { filterExpression } from './filter-expression.ts';
import { newestId } from './newest-id.ts';
import { queryInParallel } from './parallel-query.ts';
import { type ReadOptions, rowsByIds } from './rows-by-ids.ts';
import { type QueriedRows, queryRows, type ReadRows } from './serialized-items/index.ts';
import { customersIn, type IdRange, idInSortKey } from './table.ts';

/** Bytes of the customers that are read before it is worth the cost of a sample how to read the rest. */
const HEAD_BYTES = 64 * 1024;
/** Bytes of an entry of the customer index, about. */
const ENTRY_BYTES = 125;

/** A page of serialized customers, in UTF-8. */
export interface ExportPage {
  readonly text: Buffer;
  readonly count: number;
  /** Id of the last customer read; undefined if the page has none. */
  readonly lastId: number | undefined;
  /** Whether this page is known to be the only one. */
  readonly isOnly: boolean;
}

/** How long an export is, about. */
export interface ExportLength {
  readonly rows: number;
  /** Read units of the customers. */
  readonly units: number;
}

/**
 * The customers of an export: those that meet a filter. Each is exported as it is when its page is
 * read; the whole is not a snapshot.
 *
 * The customers that meet a condition can be found in two ways. A query of the table with the
 * condition reads all customers. The customer index is an eighth of that, but those that it finds are
 * then read as well; a snapshot of the index is read without units. A sample of the index says which one
 * costs less. With look-ups, indexes of their
 * fields find the customers.
 */
export class ExportSource {
  readonly #merchantId: string;
  readonly #filter: CustomerFilter;
  readonly #format: RowFormat;
  #ranges: Promise<readonly IdRange[]> | undefined;
  #newestId: Promise<number> | undefined;
  #estimate: Promise<Estimate> | undefined;
  /** Whether the index costs little to read. */
  #hasSnapshot = false;
  #foundIds: Promise<readonly number[]> | undefined;

  constructor(merchantId: string, filter: CustomerFilter, format: RowFormat) {
    this.#merchantId = merchantId;
    this.#filter = filter;
    this.#format = format;
  }

  /**
   * Yields the rows of the customers, by ascending id.
   *
   * @param after id after which to start.
   */
  async *pages(after = 0): AsyncGenerator<ExportPage> {
    if (this.#filter.lookUps) {
      yield* this.#pagesOfLookUps(after);
      return;
    }
    const ranges = await this.#idRanges();
    for (const { from, to } of ranges) {
      const range = { from: Math.max(from, after + 1), to };
      if (range.from > to) continue;
      const isWhole = ranges.length === 1 && after === 0;
      yield* this.#filter.condition
        ? this.#matchingPages(range, isWhole)
        : this.#pagesOfTable(range, isWhole);
    }
  }

  /** Returns an estimate of the export's length; it can be too low by writes of the last seconds. */
  async length(): Promise<ExportLength> {
    if (this.#filter.lookUps) {
      const { length } = await this.#lookedUpIds();
      return { rows: length, units: (length * this.#bytesOfGet()) / UNIT_BYTES };
    }
    const { customers, matches } = isEveryone(this.#filter)
      ? await this.#upperBound()
      : await this.#estimated();
    const bytes = this.#isTableCheaper({ customers, matches })
      ? customers * customerBytes(this.#merchantId)
      : matches * this.#bytesOfGet();
    return { rows: Math.round(matches), units: bytes / (2 * UNIT_BYTES) };
  }

  async *#matchingPages(range: IdRange, isWhole: boolean): AsyncGenerator<ExportPage> {
    const Limit = Math.ceil(HEAD_BYTES / customerBytes(this.#merchantId));
    const head = await this.#query(range, Limit);
    yield toPage(head, isWhole && !head.next);
    if (!head.next) return;
    const rest = { from: idInSortKey(head.next.sk?.S) + 1, to: range.to };
    yield* this.#isTableCheaper(await this.#estimated())
      ? this.#pagesOfTable(rest, false)
      : this.#pagesOfIndex(rest);
  }

  #pagesOfTable(range: IdRange, isWhole: boolean): AsyncGenerator<ExportPage> {
    const readPage = async (part: IdRange) => {
      const read = await this.#query(part);
      const value = toPage(read, isWhole && !read.next && part.from === range.from);
      const lastEvaluatedId = read.next && idInSortKey(read.next.sk?.S);
      return { value, size: read.units, lastEvaluatedId };
    };
    return queryInParallel(range, readPage, () => this.#newest());
  }

  #pagesOfIndex(range: IdRange): AsyncGenerator<ExportPage> {
    const options = { ranges: [range], retry: retryWhileThrottled };
    const ids = matchingIds(this.#merchantId, this.#filter, options);
    const [merchantId, format] = [this.#merchantId, this.#format];
    return pagesOfIds(ids, { merchantId, format, isConsistent: false });
  }

  async *#pagesOfLookUps(after: number): AsyncGenerator<ExportPage> {
    // Loaded on demand: most exports have no look-up, and their cold start does without this.
    const { lookedUpCustomers, rowsOf } = await import('./look-ups.ts');
    const ids = await this.#lookedUpIds();
    const options = { after, retry: retryWhileThrottled };
    for await (const batch of lookedUpCustomers(this.#merchantId, this.#filter, ids, options)) {
      const rows = rowsOf(batch.customers, this.#format);
      const { lastId, isOnly } = batch;
      yield { text: rows.text, count: rows.ids.length, lastId, isOnly: isOnly && after === 0 };
    }
  }

  #lookedUpIds(): Promise<readonly number[]> {
    this.#foundIds ??= import('./look-ups.ts').then(({ findByLookUps }) =>
      findByLookUps(this.#merchantId, this.#filter, retryWhileThrottled),
    );
    return this.#foundIds;
  }

  async #query(range: IdRange, Limit?: number): Promise<QueriedRows> {
    const { KeyConditionExpression, ExpressionAttributeValues } = customersIn(
      this.#merchantId,
      range,
    );
    const filter = filterExpression(this.#filter);
    const query = {
      ...filter,
      KeyConditionExpression,
      ExpressionAttributeValues: {
        ...filter.ExpressionAttributeValues,
        ...ExpressionAttributeValues,
      },
      ...(Limit && { Limit }),
    };
    const read = await retryWhileThrottled(() => queryRows(query, this.#format));
    noteUnits(this.#merchantId, read.units, read.scanned, false);
    return read;
  }

  #isTableCheaper({ customers, matches }: Estimate): boolean {
    const ofTable = customers * customerBytes(this.#merchantId);
    const entryBytes = this.#hasSnapshot ? 0 : ENTRY_BYTES;
    const ofIndex = customers * entryBytes + matches * this.#bytesOfGet();
    return ofTable <= ofIndex;
  }

  /** Returns for how many bytes it costs to get a customer by its id: whole units. */
  #bytesOfGet(): number {
    return Math.ceil(customerBytes(this.#merchantId) / UNIT_BYTES) * UNIT_BYTES;
  }

  #idRanges(): Promise<readonly IdRange[]> {
    this.#ranges ??= retryWhileThrottled(() => all(idRanges(this.#merchantId, this.#filter)));
    return this.#ranges;
  }

  #newest(): Promise<number> {
    this.#newestId ??= retryWhileThrottled(() => newestId(this.#merchantId));
    return this.#newestId;
  }

  async #upperBound(): Promise<Estimate> {
    const newest = await this.#newest();
    return { customers: newest, matches: newest };
  }

  #estimated(): Promise<Estimate> {
    this.#estimate ??= this.#estimateMatches();
    return this.#estimate;
  }

  async #estimateMatches(): Promise<Estimate> {
    const newest = await this.#newest();
    const ranges = (await this.#idRanges()).map(({ from, to }) => ({
      from,
      to: Math.min(to, newest),
    }));
    const [estimate, isInSnapshot] = await Promise.all([
      retryWhileThrottled(() => estimateMatches(this.#merchantId, this.#filter, ranges)),
      hasSnapshot(this.#merchantId, newest),
    ]);
    this.#hasSnapshot = isInSnapshot;
    return estimate;
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const value of values) array.push(value);
  return array;
}

/**
 * Yields the rows of customers with these ids, in their order, read consistently; absent customers
 * are skipped.
 */
export function exportPagesByIds(
  merchantId: string,
  ids: readonly number[],
  format: RowFormat,
): AsyncGenerator<ExportPage> {
  return pagesOfIds([ids], { merchantId, format, isConsistent: true });
}

async function* pagesOfIds(
  ids: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  options: ReadOptions,
): AsyncGenerator<ExportPage> {
  for await (const read of rowsByIds(ids, options, retryWhileThrottled)) yield toPage(read, false);
}

function toPage(
  { rows: { text, ids }, next }: ReadRows & Partial<QueriedRows>,
  isOnly: boolean,
): ExportPage {
  // What a filter expression left out has been read as well.
  const lastId = next ? idInSortKey(next.sk?.S) : ids.at(-1);
  return { text, count: ids.length, lastId, isOnly };
}
