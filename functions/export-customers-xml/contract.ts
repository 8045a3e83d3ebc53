import { XML_TYPE } from '../../shared/formats/xml.ts';
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
    path: '/customers/export/xml',
    scope: 'customers:read',
    ...filteredExport(XML_TYPE),
    summary: 'Export all customers that meet the filters as XML',
    request,
    parameters: filterDescriptions(),
  });
