import { CONCURRENT_EXPORTS, MAX_IDS_EXPORTED } from '../shared/domain/limits.ts';
import { defineContract } from '../shared/http/contract.ts';
import { idsSchema } from '../shared/http/customer-schemas.ts';
import type { Parameters, RequestSchemas } from '../shared/http/validation.ts';
import { exportSchemas, fileResponses, type OfferedFormat } from './export-contracts.ts';

/**
 * Returns the schemas of a request for the customers with the ids in its body.
 *
 * @param options query parameters of the format.
 */
export function exportByIdsRequest<const P extends Parameters>(options: P) {
  return { query: options, body: () => idsSchema(MAX_IDS_EXPORTED) } satisfies RequestSchemas;
}

/** Returns the contract of POST /customers/export/{format}. */
export function exportByIdsContract<P extends Parameters>(
  request: ReturnType<typeof exportByIdsRequest<P>>,
  { name, title, mediaType, options }: OfferedFormat<P>,
) {
  return defineContract({
    method: 'POST',
    path: `/customers/export/${name}`,
    scope: 'customers:read',
    table: { actions: ['Query', 'BatchGetItem', 'GetItem'], exportJobs: ['UpdateItem'] },
    files: 'write',
    environment: ['cursorSecret', 'changesEpoch'],
    summary: `Export customers by id as ${title}`,
    request,
    parameters: options,
    requestBody: {
      name: 'IdsToExport',
      description: 'Ids of customers, as numbers or as digits; duplicates count once.',
      example: [1, '2'],
    },
    responses: fileResponses(mediaType),
    errors: {
      404: ['None of these customers exists.', '/problems/customer-not-found'],
      429: `Too many requests, or the merchant has ${CONCURRENT_EXPORTS} slow exports running.`,
    },
    schemas: exportSchemas(),
  });
}
