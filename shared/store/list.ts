import type { Customer } from '../customer/customer.ts';
import { directoryKey } from '../customer/derived.ts';
import { isEveryone, type Selection } from '../customer/filters.ts';
import { getCustomers } from './batch.ts';
import { listCustomers } from './customers.ts';
import { type Entry, selectedEntries } from './directory.ts';

/** Which page of a list. */
export interface Page {
  /** Directory key after which the page begins. */
  readonly after: string | undefined;
  /** How many customers to pass over. */
  readonly start: number;
  readonly limit: number;
}

/** A page of customers, and the directory key of its last where more follow. */
export interface CustomerPage {
  readonly customers: readonly Customer[];
  readonly next: string | undefined;
}

/**
 * A page of the selected customers by ascending id. Without filters and start all is read
 * consistently from the table; otherwise the directory finds the customers, and the table then
 * gives them as they are now.
 */
export async function listPage(
  merchant: string,
  selection: Selection,
  page: Page,
): Promise<CustomerPage> {
  return isEveryone(selection) && page.start === 0
    ? pageOfTable(merchant, page)
    : pageOfDirectory(merchant, selection, page);
}

async function pageOfTable(merchant: string, { after, limit }: Page): Promise<CustomerPage> {
  const afterId = after === undefined ? 0 : Number(after.split('#')[1]);
  // One more than asked for tells whether there is a next page.
  const found = await listCustomers(merchant, { after: afterId, limit: limit + 1 });
  const customers = found.slice(0, limit);
  const last = customers.at(-1)?.origin;
  const more = found.length > limit && last;
  return { customers, next: more ? directoryKey(last.date, last.mexcParamvaluesetsid) : undefined };
}

async function pageOfDirectory(
  merchant: string,
  selection: Selection,
  { after, start, limit }: Page,
): Promise<CustomerPage> {
  const entries: Entry[] = [];
  let toPass = start;
  for await (const found of selectedEntries(merchant, selection, after)) {
    entries.push(...found.slice(toPass, toPass + limit + 1 - entries.length));
    toPass -= Math.min(toPass, found.length);
    if (entries.length > limit) break;
  }
  const chosen = entries.slice(0, limit);
  return {
    customers: await getCustomers(
      merchant,
      chosen.map(({ id }) => id),
    ),
    next: entries.length > limit ? chosen.at(-1)?.key : undefined,
  };
}
