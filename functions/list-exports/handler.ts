import { exportProgress } from '../../shared/domain/export.ts';
import { api, json } from '../../shared/http/api.ts';
import { listExportJobs } from '../../shared/storage/export-jobs.ts';
import { request } from './contract.ts';

/** GET /customers/exports: lists the merchant's long exports, the newest first. */
export const handler = api(request).handler(async (_event, { merchantId }) => {
  const jobs = await listExportJobs(merchantId);
  return json(jobs.map(exportProgress));
});
