import { FILTERS } from '../../shared/domain/customer-filter.ts';
import { COUNTRIES } from '../../shared/domain/identity-number.ts';
import {
  DEFAULT_PAGE,
  MAX_IDEMPOTENCY_KEY_LENGTH,
  MAX_PAGE,
  MAX_SEARCH_LENGTH,
  MAX_SEARCH_TEXTS,
} from '../../shared/domain/limits.ts';
import type { CSV_PARAMETERS } from '../../shared/formats/csv.ts';
import { EXPORT_ID } from '../../shared/http/path.ts';
import { ID, type Json } from './schemas.ts';

/** Path parameter of a customer's id. */
export const ID_IN_PATH = inPath('mexcParamvaluesetsid', ID, "The customer's id.");

/** Path parameter of a long export. */
export const EXPORT_ID_IN_PATH = inPath(
  'exportId',
  { type: 'string', format: 'uuid', pattern: EXPORT_ID.source },
  'Id of the export, out of the Location header of its 202.',
);

/** Path parameter of the look-up. */
export const ORG_NUM_IN_PATH = inPath(
  'orgNum',
  {
    type: 'string',
    pattern: '^((\\d{2})?\\d{6}[-+]?\\d{4}|\\d{3} ?\\d{3} ?\\d{3}|\\d{7}-\\d)$',
  },
  'A Swedish personnummer, samordningsnummer or organisationsnummer of 10 or 12 digits, a Norwegian organisasjonsnummer of 9 digits or a Finnish Y-tunnus such as 0112038-9.',
);
export const COUNTRY = inQuery(
  'country',
  { enum: [...COUNTRIES] },
  'Country of the number; it shows by its form as well, and another is refused.',
);

/** Which page of the list. */
export const PAGE: readonly Json[] = [
  inQuery(
    'limit',
    { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE },
    'Most customers to answer.',
  ),
  inQuery(
    'start',
    { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
    'How many customers to pass over first. Above 0 the customers are found as filters find them, ' +
      'which follow a write within a second.',
  ),
  inQuery(
    'cursor',
    { type: 'string' },
    'Where the page begins, out of the Link header of the page before; not together with start.',
  ),
];

/** Which customers. */
export const FILTERING: readonly Json[] = [
  {
    ...inQuery(
      'filter',
      {
        type: 'array',
        items: { enum: Object.keys(FILTERS).flatMap((name) => [name, `!${name}`]) },
      },
      'Filters that all must be met; `!` inverts one. May also be repeated.',
    ),
    explode: false,
  },
  ...[...new Set(Object.values(FILTERS).flatMap(({ parameters }) => parameters))].map(
    filterParameter,
  ),
];

/** How a CSV file is written. */
export const CSV_FORM: readonly Json[] = Object.entries({
  delimiter: inQuery(
    'delimiter',
    { enum: ['comma', 'semicolon'], default: 'comma' },
    'What stands between two cells; Excel wants a semicolon under Swedish settings.',
  ),
  bom: inQuery(
    'bom',
    { enum: ['true', 'false'], default: 'false' },
    'Whether a byte order mark opens the file, by which Excel knows UTF-8.',
  ),
} satisfies Record<(typeof CSV_PARAMETERS)[number], Json>).map(([, parameter]) => parameter);

export const IDEMPOTENCY_KEY = inHeader(
  'Idempotency-Key',
  { type: 'string', pattern: `^[!-~]{1,${MAX_IDEMPOTENCY_KEY_LENGTH}}$` },
  'All requests with one key and one body within 24 hours make one customer and get one answer.',
);
export const IF_MATCH = inHeader(
  'If-Match',
  { type: 'string' },
  'Entity tags of which the customer must have one, or `*`.',
);
export const IF_NONE_MATCH = inHeader(
  'If-None-Match',
  { type: 'string' },
  'Entity tags that the caller has already.',
);

function filterParameter(name: string): Json {
  const takers = Object.entries(FILTERS).filter(([, { parameters }]) => parameters.includes(name));
  const description = takers.map(([filter, { meaning }]) => `${filter}: ${meaning}.`).join(' ');
  return inQuery(name, filterValue(name), `For ${description}`);
}

function filterValue(name: string): Json {
  if (name === 'from' || name === 'to') return { type: 'string', format: 'date' };
  if (!name.startsWith('search')) return { enum: ['0', '1'] };
  const text = { type: 'string', minLength: 1, maxLength: MAX_SEARCH_LENGTH };
  return { type: 'array', maxItems: MAX_SEARCH_TEXTS, items: text };
}

function inPath(name: string, schema: Json, description: string): Json {
  return { name, in: 'path', required: true, schema, description };
}

function inQuery(name: string, schema: Json, description: string): Json {
  return { name, in: 'query', schema, description };
}

function inHeader(name: string, schema: Json, description: string): Json {
  return { name, in: 'header', schema, description };
}
