import { exportByIds } from '../../shared/exports/create-export.ts';
import { XLSX_TYPE, xlsx } from '../../shared/formats/xlsx.ts';
import { api } from '../../shared/http/api.ts';
import { fileResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/xlsx: exports the customers with these ids as an XLSX file. */
export const handler = api(request, { produces: ['application/json', XLSX_TYPE] }).handler(
  async (event, context) => {
    const file = await exportByIds(
      context.merchantId,
      event.body,
      xlsx(event.queryStringParameters),
    );
    return fileResponse(file, XLSX_TYPE, context);
  },
);
