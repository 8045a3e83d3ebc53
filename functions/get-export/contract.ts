import * as v from 'valibot';
import { defineContract } from '../../shared/http/contract.ts';
import { header, ref } from '../../shared/http/json-schema.ts';
import { checked, type RequestSchemas, single } from '../../shared/http/validation.ts';
import { exportSchemas } from '../export-contracts.ts';

const EXPORT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const request = {
  path: {
    exportId: single(() =>
      v.pipe(
        v.string(),
        checked((text) => EXPORT_ID.test(text), 'must be the id of an export, a UUID', {
          format: 'uuid',
          pattern: EXPORT_ID.source,
        }),
      ),
    ),
  },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/exports/{exportId}',
    scope: 'customers:read',
    table: { actions: ['GetItem'] },
    files: 'read',
    summary: 'Get the status of a long export',
    request,
    parameters: { exportId: 'Id of the export, from the Location header of its 202.' },
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
    errors: { 404: 'The merchant has no such export, or its status has expired.' },
    schemas: exportSchemas(),
  });
