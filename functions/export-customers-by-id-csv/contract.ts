import { MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { idsSchema } from '../../shared/http/customer-schemas.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { csvDescriptions, csvParameters, exportByIds } from '../export-contracts.ts';

export const request = {
  query: csvParameters,
  body: () => idsSchema(MAX_IDS_EXPORTED),
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/export/csv',
    scope: 'customers:read',
    ...exportByIds(CSV_TYPE),
    summary: 'Export customers by id as CSV',
    request,
    parameters: csvDescriptions(),
  });
