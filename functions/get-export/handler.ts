import { describeJob, pollHeaders } from '../../shared/exports/job.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { exportIdInPath } from '../../shared/http/path.ts';
import { Problem } from '../../shared/http/problem-details.ts';
import { getExportJob } from '../../shared/storage/export-jobs.ts';

/** GET /customers/exports/{exportId}: how far a long export has come, and where its file is. */
export const handler = endpoint(async (request) => {
  request.query.allowOnly([]);
  const id = exportIdInPath(request);
  const job = await getExportJob(request.merchant, id);
  if (!job) throw new Problem(404, `There is no export ${id}.`);
  return { headers: pollHeaders(job), body: await describeJob(job) };
});
