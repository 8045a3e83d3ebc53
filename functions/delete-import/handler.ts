import { api } from '../../shared/http/api.ts';
import { deleteImport } from '../../shared/imports/delete-import.ts';
import { importResponse } from '../import-responses.ts';
import { request } from './contract.ts';

/** DELETE /customers/imports/{importId}: stops an import, or deletes its files. */
export const handler = api(request).handler(async (event, { merchantId }) =>
  importResponse(await deleteImport(merchantId, event.pathParameters.importId), {
    statusCode: 200,
  }),
);
