import { api, json } from '../../shared/http/api.ts';
import { importStatus } from '../../shared/imports/import-status.ts';
import { listImportJobs } from '../../shared/storage/import-jobs.ts';
import { request } from './contract.ts';

/** GET /customers/imports: lists the merchant's imports, the newest first. */
export const handler = api(request).handler(async (_event, { merchantId }) => {
  const jobs = await listImportJobs(merchantId);
  return json(jobs.map(importStatus));
});
