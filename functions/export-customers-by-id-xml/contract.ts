import { MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { XML_TYPE } from '../../shared/formats/xml.ts';
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
    path: '/customers/export/xml',
    scope: 'customers:read',
    ...exportByIds(XML_TYPE),
    summary: 'Export customers by id as XML',
    request,
    parameters: {},
  });
