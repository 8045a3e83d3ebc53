import { ExportNotFoundError } from '../../shared/domain/errors.ts';
import { exportProgress } from '../../shared/domain/export.ts';
import { api, json } from '../../shared/http/api.ts';
import { Problem } from '../../shared/http/problem-details.ts';
import { getExportJob, updateExportJob } from '../../shared/storage/export-jobs.ts';
import { request } from './contract.ts';

/** DELETE /customers/exports/{exportId}: cancels a long export that is running. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { exportId } = event.pathParameters;
  await updateExportJob(merchantId, exportId, { state: 'canceled' });
  const job = await getExportJob(merchantId, exportId);
  if (!job) throw new ExportNotFoundError(exportId);
  if (job.state !== 'canceled') {
    const end = job.state === 'ready' ? 'is ready' : 'has failed';
    throw new Problem(409, `The export ${end} and cannot be canceled any more.`);
  }
  return json(exportProgress(job));
});
