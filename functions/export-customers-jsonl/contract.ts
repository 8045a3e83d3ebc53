import { JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { defineContract } from '../../shared/http/contract.ts';
import {
  filterDescriptions,
  filterParameters,
  filterRule,
} from '../../shared/http/filter-parameters.ts';
import type { RequestSchemas } from '../../shared/http/validation.ts';
import { filteredExport } from '../export-contracts.ts';

export const request = {
  query: filterParameters,
  rules: [filterRule],
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/export/jsonl',
    scope: 'customers:read',
    ...filteredExport(JSON_LINES_TYPE),
    summary: 'Export all customers that meet the filters as JSON Lines',
    request,
    parameters: filterDescriptions(),
  });
