import { ImportNotFoundError } from '../../shared/domain/errors.ts';
import { api } from '../../shared/http/api.ts';
import { uploadRequest } from '../../shared/imports/upload-url.ts';
import { getImportJob } from '../../shared/storage/import-jobs.ts';
import { importResponse } from '../import-responses.ts';
import { request } from './contract.ts';

/** GET /customers/imports/{importId}: returns the status of an import; while it awaits its file, how to send that. */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { importId } = event.pathParameters;
  const job = await getImportJob(merchantId, importId);
  if (!job) throw new ImportNotFoundError(importId);
  const upload = job.state === 'awaitingFile' && (await uploadRequest(merchantId, job));
  return importResponse(job, { statusCode: 200, ...(upload && { more: { upload } }) });
});
