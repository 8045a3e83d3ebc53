import { ImportNotFoundError, ImportStateError } from '../../shared/domain/errors.ts';
import { api, json } from '../../shared/http/api.ts';
import { listRows } from '../../shared/imports/list-rows.ts';
import { getImportJob } from '../../shared/storage/import-jobs.ts';
import { request } from './contract.ts';

/** GET /customers/imports/{importId}/rows: lists the rows of an import, a page at a time. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { importId } = event.pathParameters;
  const job = await getImportJob(merchantId, importId);
  if (!job) throw new ImportNotFoundError(importId);
  if (!job.plan) throw new ImportStateError('The import is not planned yet.');
  return json(await listRows(merchantId, job, event.queryStringParameters));
});
