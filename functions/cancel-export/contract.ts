import { defineContract } from '../../shared/http/contract.ts';
import { ref } from '../../shared/http/json-schema.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { EXPORT_ID_DESCRIPTION, exportIdParameter, exportSchemas } from '../export-contracts.ts';

export const request = { path: { exportId: exportIdParameter } } satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'DELETE',
    path: '/customers/exports/{exportId}',
    scope: 'customers:read',
    table: { actions: ['GetItem'], exportJobs: ['UpdateItem'] },
    summary: 'Cancel a long export that is running',
    request,
    parameters: { exportId: EXPORT_ID_DESCRIPTION },
    responses: {
      200: {
        description: 'The export is canceled, or had been before.',
        schema: ref('CanceledExport'),
      },
    },
    errors: {
      404: [
        'The merchant has no such export, or its status has expired.',
        '/problems/export-not-found',
      ],
      409: 'The export has ended: it is ready or has failed.',
    },
    schemas: exportSchemas(),
  });
