import { isEveryone, type Selection } from '../domain/customer-filter.ts';
import { countSelected } from './customer-index.ts';
import { newestId } from './export-pages.ts';

/**
 * About how many customers are selected. The last id bounds it, and costs a single item; only
 * where that is more than `enough` are customers counted who must meet filters.
 *
 * @param enough up to how many it does not matter whether there are fewer.
 * @returns never too few, beside what was written within the last second.
 */
export async function estimateSelected(
  merchant: string,
  selection: Selection,
  enough: number,
): Promise<number> {
  const most = await newestId(merchant);
  return most <= enough || isEveryone(selection) ? most : countSelected(merchant, selection);
}
