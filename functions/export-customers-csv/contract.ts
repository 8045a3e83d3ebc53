import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { defineContract } from '../../shared/http/contract.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { csvDescriptions, csvParameters, filteredExport } from '../export-contracts.ts';

export const request = {
  query: { ...csvParameters, ...filterParameters },
  rules: [filterRule],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/export/csv',
    scope: 'customers:read',
    ...filteredExport(CSV_TYPE),
    summary: 'Export all customers that meet the filters as CSV',
    request,
    parameters: { ...csvDescriptions(), ...filterDescriptions() },
  });
