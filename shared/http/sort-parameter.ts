import * as v from 'valibot';
import { MAX_SORTED_BY_TEXT, MAX_SORTED_BY_UPDATED } from '../domain/limits.ts';
import { SORT_NAMES, type SortOrder } from '../domain/sort-order.ts';
import { single, suggestion } from './validation.ts';

const SORTS = SORT_NAMES.flatMap((name) => [name, `-${name}`] as const);

/** Query parameter with the order of a list. */
export const sortParameter = single(() =>
  v.pipe(
    v.picklist(SORTS, ({ input }) => unknownSort(String(input))),
    v.transform((sort): SortOrder => {
      const isDescending = sort.startsWith('-');
      const name = (isDescending ? sort.slice(1) : sort) as (typeof SORT_NAMES)[number];
      const by = name === 'date' || name === 'mexcParamvaluesetsid' ? 'id' : name;
      return { by, isDescending };
    }),
  ),
);

/** Description of {@link sortParameter} for the OpenAPI document. */
export const SORT_DESCRIPTION =
  'Order of the customers; a dash in front reverses it. date is the order of the ids. name and ' +
  'customerid are ordered as Swedish does, without regard to case and accents, numbers in texts by ' +
  `their value, and customers without one come last; more than ${MAX_SORTED_BY_TEXT} customers are an ` +
  `error. updated is the time of the last change; more than ${MAX_SORTED_BY_UPDATED} customers are an ` +
  'error. Default: mexcParamvaluesetsid.';

function unknownSort(text: string): string {
  const similar = suggestion(text, SORT_NAMES);
  return `must be one of ${SORT_NAMES.join(', ')}, with a dash in front to reverse it${similar ? `; ${similar}` : ''}`;
}
