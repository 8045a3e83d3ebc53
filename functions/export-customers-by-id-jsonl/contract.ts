import { MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { idsSchema } from '../../shared/http/customer-schemas.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { exportByIds } from '../export-contracts.ts';

export const request = {
  body: () => idsSchema(MAX_IDS_EXPORTED),
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/export/jsonl',
    scope: 'customers:read',
    ...exportByIds(JSON_LINES_TYPE),
    summary: 'Export customers by id as JSON Lines',
    request,
    parameters: {},
  });
