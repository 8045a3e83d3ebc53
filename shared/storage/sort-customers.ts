import type { Customer } from '../domain/customer.ts';
import type { CustomerFilter } from '../domain/customer-filter.ts';
import { TooManyToSortError } from '../domain/errors.ts';
import { MAX_SORTED_BY_TEXT, MAX_SORTED_BY_UPDATED } from '../domain/limits.ts';
import { customeridOf, nameOf, toSearchAttributes } from '../domain/search-attributes.ts';
import type { SortOrder, SortPosition } from '../domain/sort-order.ts';
import { UPDATED_ROWS } from '../formats/json.ts';
import { matchingIds, matchingNames } from './customer-index.ts';
import { findByLookUps, lookedUpCustomers } from './look-ups.ts';
import { rowsByIds } from './rows-by-ids.ts';

/** A customer with what it is sorted by; an empty text if that is not set. */
type SortEntry = Required<SortPosition>;

/**
 * Returns the customers that meet the filter, sorted by another member than the id; those without
 * it come last in both directions. All that match are read: of name and customerid their entries in the customer
 * index, of updated the customers themselves.
 *
 * @throws TooManyToSortError if too many match; no more are read then.
 */
export async function sortCustomers(
  merchantId: string,
  filter: CustomerFilter,
  order: SortOrder,
): Promise<SortEntry[]> {
  const entries = await sortEntries(merchantId, filter, order);
  return entries.sort(comparison(order));
}

/** Returns the entries after a position, whether the customer there still exists or not. */
export function entriesAfter(
  entries: readonly SortEntry[],
  order: SortOrder,
  { id, key = '' }: SortPosition,
): readonly SortEntry[] {
  const compare = comparison(order);
  const first = entries.findIndex((entry) => compare(entry, { id, key }) > 0);
  return first < 0 ? [] : entries.slice(first);
}

function sortEntries(
  merchantId: string,
  filter: CustomerFilter,
  order: SortOrder,
): Promise<SortEntry[]> {
  if (filter.lookUps) return lookedUpEntries(merchantId, filter, order);
  if (order.by === 'updated') return entriesByUpdated(merchantId, filter);
  return entriesByText(merchantId, filter, order.by === 'name' ? nameOf : customeridOf);
}

/** Customers that are looked up by values are read as a whole in any order. */
async function lookedUpEntries(
  merchantId: string,
  filter: CustomerFilter,
  { by }: SortOrder,
): Promise<SortEntry[]> {
  const ids = await findByLookUps(merchantId, filter);
  if (ids.length > MAX_SORTED_BY_UPDATED) {
    throw new TooManyToSortError(MAX_SORTED_BY_UPDATED, by, 'leave sort out');
  }
  const keyOf = ({ system, fields, updated }: Customer) => {
    const { nameText } = toSearchAttributes(system, fields);
    return { id: '', updated, name: nameOf(nameText), customerid: customeridOf(nameText) }[by];
  };
  const entries: SortEntry[] = [];
  for await (const { customers } of lookedUpCustomers(merchantId, filter, ids)) {
    for (const customer of customers) {
      entries.push({ id: customer.system.mexcParamvaluesetsid, key: keyOf(customer) });
    }
  }
  return entries;
}

async function entriesByText(
  merchantId: string,
  filter: CustomerFilter,
  keyOf: (nameText?: string) => string,
): Promise<SortEntry[]> {
  const entries: SortEntry[] = [];
  for await (const page of matchingNames(merchantId, filter, MAX_SORTED_BY_TEXT + 1)) {
    for (const { id, nameText } of page) entries.push({ id, key: keyOf(nameText) });
    if (entries.length > MAX_SORTED_BY_TEXT) {
      const by = keyOf === nameOf ? 'name' : 'customerid';
      throw new TooManyToSortError(MAX_SORTED_BY_TEXT, by, 'sort by date');
    }
  }
  return entries;
}

async function entriesByUpdated(merchantId: string, filter: CustomerFilter): Promise<SortEntry[]> {
  const ids: number[] = [];
  const wanted = MAX_SORTED_BY_UPDATED + 1;
  for await (const page of matchingIds(merchantId, filter, { wanted })) {
    ids.push(...page);
    if (ids.length > MAX_SORTED_BY_UPDATED) {
      const instead = 'follow GET /customers/changes';
      throw new TooManyToSortError(MAX_SORTED_BY_UPDATED, 'updated', instead);
    }
  }
  const entries: SortEntry[] = [];
  const options = { merchantId, format: UPDATED_ROWS, isConsistent: false };
  for await (const { rows } of rowsByIds([ids], options)) {
    for (const [index, id] of rows.ids.entries()) {
      const key = rows.text.toString('latin1', rows.ends[index - 1] ?? 0, rows.ends[index]);
      entries.push({ id, key });
    }
  }
  return entries;
}

function comparison({ by, isDescending }: SortOrder): (a: SortEntry, b: SortEntry) => number {
  const direction = isDescending ? -1 : 1;
  const compare =
    by === 'updated' ? compareTimes : new Intl.Collator('sv', { numeric: true }).compare;
  return (a, b) => {
    if (!a.key !== !b.key) return a.key ? -1 : 1;
    return direction * (compare(a.key, b.key) || a.id - b.id);
  };
}

function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
