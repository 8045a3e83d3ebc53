import { ExportNotFoundError } from '../../shared/domain/errors.ts';
import { EXPORT_POLL_S } from '../../shared/domain/limits.ts';
import { api } from '../../shared/http/api.ts';
import { getExportJob } from '../../shared/storage/export-jobs.ts';
import { jobResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** GET /customers/exports/{exportId}: returns the status of a long export, and its file once ready. */
export const handler = api(request).handler(async (event, context) => {
  const { exportId } = event.pathParameters;
  const job = await getExportJob(context.merchantId, exportId);
  if (!job) throw new ExportNotFoundError(exportId);
  const isRunning = job.state === 'running';
  const headers = isRunning ? { 'retry-after': String(EXPORT_POLL_S) } : {};
  return jobResponse(job, context, { headers });
});
