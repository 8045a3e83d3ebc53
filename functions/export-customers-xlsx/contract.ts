import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { defineContract } from '../../shared/http/contract.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { columnDescriptions, columnParameters, filteredExport } from '../export-contracts.ts';

export const request = {
  query: { ...columnParameters, ...filterParameters },
  rules: [filterRule],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/export/xlsx',
    scope: 'customers:read',
    ...filteredExport(XLSX_TYPE),
    summary: 'Export all customers that meet the filters as XLSX',
    request,
    parameters: { ...columnDescriptions(), ...filterDescriptions() },
  });
