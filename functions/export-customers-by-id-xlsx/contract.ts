import { MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { defineContract } from '../../shared/http/contract.ts';
import { idsSchema } from '../../shared/http/customer-schemas.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { columnDescriptions, columnParameters, exportByIds } from '../export-contracts.ts';

export const request = {
  query: columnParameters,
  body: () => idsSchema(MAX_IDS_EXPORTED),
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'POST',
    path: '/customers/export/xlsx',
    scope: 'customers:read',
    ...exportByIds(XLSX_TYPE),
    summary: 'Export customers by id as XLSX',
    request,
    parameters: columnDescriptions(),
  });
