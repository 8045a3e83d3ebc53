import * as v from 'valibot';
import { MAX_SORTED_BY_TEXT, MAX_SORTED_BY_UPDATED } from '../../shared/domain/limits.ts';
import { SORT_NAMES, type SortOrder } from '../../shared/domain/sort-order.ts';
import { defineContract } from '../../shared/http/contract.ts';
import {
  FIELDS_DESCRIPTION,
  FIELDS_EXAMPLE,
  fieldsParameter,
} from '../../shared/http/fields-parameter.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import { header, ref } from '../../shared/http/json-schema.ts';
import {
  integer,
  type RequestSchemas,
  type SentNames,
  single,
  suggestion,
} from '../../shared/http/validation.ts';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES } from '../../shared/storage/table.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const SORTS = SORT_NAMES.flatMap((name) => [name, `-${name}`] as const);

/** Query parameter with the order of a list. */
const sortParameter = single(() =>
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

export const request = {
  query: {
    limit: single(() => integer(1, MAX_LIMIT), DEFAULT_LIMIT),
    start: single(() => integer(0, Number.MAX_SAFE_INTEGER), 0),
    cursor: single(() => v.string()),
    ...filterParameters,
    sort: sortParameter,
    fields: fieldsParameter,
  },
  rules: [filterRule, eitherStartOrCursor],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers',
    scope: 'customers:read',
    table: {
      actions: ['Query', 'BatchGetItem'],
      indexes: [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES],
    },
    snapshots: 'read',
    environment: ['cursorSecret'],
    summary: 'List customers',
    request,
    parameters: {
      limit: [
        'Maximum customers of the page. A page of large customers can have fewer; the Link header ' +
          'says whether more follow.',
        10,
      ],
      start: [
        'How many customers to skip. Above 0, as with filters, customers are found in an index, ' +
          'which follows writes usually within a second.',
        0,
      ],
      cursor: [
        'Where the page starts, from the Link header of the page before; not together with a start above 0.',
        'AQAAAAAAAAPo3gqTzVQ',
      ],
      ...filterDescriptions(),
      sort: [
        'Order of the customers; a dash in front reverses it. date orders as the ids do. name and ' +
          'customerid order as Swedish does, without regard to case and accents, numbers in texts by ' +
          `their value, and customers without one last; more than ${MAX_SORTED_BY_TEXT} customers are an ` +
          `error. updated is the time of the last change; more than ${MAX_SORTED_BY_UPDATED} customers are an ` +
          'error. A customer whose name, customerid or updated changes while pages are fetched in that order ' +
          'can be listed twice, or not at all. Default: mexcParamvaluesetsid.',
        '-name',
      ],
      fields: [FIELDS_DESCRIPTION, FIELDS_EXAMPLE],
    },
    responses: {
      200: {
        description: 'A page of customers.',
        schema: { type: 'array', items: ref('Customer') },
        headers: { Link: header('The next page (rel="next"), if there is one (RFC 8288).', false) },
      },
    },
  });

/** A start of 0, the default, skips nothing; generated clients send it with each request. */
function eitherStartOrCursor(
  { queryStringParameters: { start } }: { queryStringParameters: { start?: number } },
  sent: SentNames,
) {
  return start !== 0 && sent.has('start') && sent.has('cursor')
    ? [{ parameter: 'start', detail: 'cannot be given together with cursor' }]
    : [];
}

function unknownSort(text: string): string {
  const similar = suggestion(text, SORT_NAMES);
  return `must be one of ${SORT_NAMES.join(', ')}, with a dash in front to reverse it${similar ? `; ${similar}` : ''}`;
}
