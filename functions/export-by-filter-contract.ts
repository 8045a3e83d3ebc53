import { CONCURRENT_EXPORTS, CONCURRENT_LONG_EXPORTS } from '../shared/domain/limits.ts';
import { defineContract } from '../shared/http/contract.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../shared/http/filter-parameters.ts';
import { header, ref } from '../shared/http/json-schema.ts';
import type { Parameters, RequestSchemas } from '../shared/http/validation.ts';
import { CUSTOMER_INDEX, LOOK_UP_INDEX_NAMES } from '../shared/storage/table.ts';
import { exportSchemas, fileResponses, type OfferedFormat } from './export-contracts.ts';

/**
 * Returns the schemas of a request for all customers that meet the filters.
 *
 * @param options query parameters of the format besides the filters.
 */
export function exportByFilterRequest<const P extends Parameters>(options: P) {
  return {
    query: { ...options, ...filterParameters },
    rules: [filterRule],
  } satisfies RequestSchemas;
}

/** Returns the contract of GET /customers/export/{format}. */
export function exportByFilterContract<P extends Parameters>(
  request: ReturnType<typeof exportByFilterRequest<P>>,
  { name, title, mediaType, options }: OfferedFormat<P>,
) {
  return defineContract({
    method: 'GET',
    path: `/customers/export/${name}`,
    scope: 'customers:read',
    table: {
      actions: ['Query', 'BatchGetItem', 'GetItem'],
      indexes: [CUSTOMER_INDEX.name, ...LOOK_UP_INDEX_NAMES],
      exportJobs: ['PutItem', 'UpdateItem'],
    },
    files: 'write',
    snapshots: 'read',
    starts: 'exportWorker',
    environment: ['cursorSecret', 'changesEpoch'],
    summary: `Export all customers that meet the filters as ${title}`,
    request,
    parameters: { ...options, ...filterDescriptions() },
    responses: {
      ...fileResponses(mediaType),
      202: {
        description:
          'The export continues in the background. If an export with the same format, options and ' +
          'filters runs already, this is its status.',
        schema: ref('RunningExport'),
        headers: {
          Location: header('Path at which to poll its status.'),
          'Retry-After': header('Seconds after which to poll.', true, { type: 'integer' }),
        },
      },
    },
    errors: {
      429:
        `Too many requests, or the merchant has ${CONCURRENT_EXPORTS} slow exports or ` +
        `${CONCURRENT_LONG_EXPORTS} long ones running.`,
    },
    schemas: exportSchemas(),
  });
}
