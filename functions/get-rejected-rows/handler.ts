import { ImportNotFoundError, ImportStateError } from '../../shared/domain/errors.ts';
import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { preferredLanguage } from '../../shared/http/accept-language.ts';
import { api, json, noContent } from '../../shared/http/api.ts';
import { rejectedFile } from '../../shared/imports/rejected-file.ts';
import { getImportJob } from '../../shared/storage/import-jobs.ts';
import { request } from './contract.ts';

/** GET /customers/imports/{importId}/rejected: writes the rows that are not imported to a file. */
export const handler = api(request, {
  produces: ['application/json', CSV_TYPE, XLSX_TYPE],
}).handler(async (event, { merchantId, preferredMediaType }) => {
  const { importId } = event.pathParameters;
  const job = await getImportJob(merchantId, importId);
  if (!job) throw new ImportNotFoundError(importId);
  if (!job.plan) throw new ImportStateError('The import is not planned yet.');
  const isJson = preferredMediaType === 'application/json';
  const accepted = preferredMediaType === XLSX_TYPE ? 'xlsx' : 'csv';
  const file = await rejectedFile(merchantId, job, {
    format: isJson ? event.queryStringParameters.format : accepted,
    language: preferredLanguage(event.headers['accept-language'], ['en', 'sv']),
  });
  return isJson ? json(file) : noContent({ statusCode: 303, headers: { location: file.url } });
});
