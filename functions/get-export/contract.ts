import { defineContract } from '../../shared/http/contract.ts';
import { header, ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { EXPORT_ID_DESCRIPTION, exportIdParameter, exportSchemas } from '../export-contracts.ts';

export const request = { path: { exportId: exportIdParameter } } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/exports/{exportId}',
    scope: 'customers:read',
    table: { actions: ['GetItem'] },
    files: 'read',
    environment: ['cursorSecret', 'changesEpoch'],
    summary: 'Get the status of a long export',
    request,
    parameters: { exportId: EXPORT_ID_DESCRIPTION },
    responses: {
      200: {
        description: 'The status of the export.',
        schema: ref('Export'),
        headers: {
          'Retry-After': header(
            'Seconds after which to poll again, while the export runs.',
            false,
            {
              type: 'integer',
            },
          ),
        },
      },
    },
    errors: {
      404: [
        'The merchant has no such export, or its status has expired.',
        '/problems/export-not-found',
      ],
    },
    schemas: exportSchemas(),
  });
