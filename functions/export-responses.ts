import type { APIGatewayProxyStructuredResultV2 as HttpResponse } from 'aws-lambda';
import type { CustomerFilter } from '../shared/domain/customer-filter.ts';
import type { FormatChoice } from '../shared/domain/export.ts';
import { EXPORT_POLL_S } from '../shared/domain/limits.ts';
import { required, requiredNumber } from '../shared/environment.ts';
import { type CreatedFile, exportByFilter, exportByIds } from '../shared/exports/create-export.ts';
import { exportStatus } from '../shared/exports/export-file.ts';
import { fileFormat } from '../shared/formats/file-format.ts';
import { type ApiContext, json, noContent } from '../shared/http/api.ts';

/**
 * Returns a function that exports the customers that meet a filter and returns the response: the
 * file, or 202 for an export that continues in the background.
 *
 * @throws Error if an environment variable of long exports is missing.
 */
export function filteredExportResponses() {
  const worker = required('exportWorker');
  const maxRows = requiredNumber('longExportRows');
  return async (choice: FormatChoice, filter: CustomerFilter, context: ApiContext) => {
    const { merchantId } = context;
    const format = fileFormat(choice);
    const limits = { worker, maxRows, remainingMs: context.getRemainingTimeInMillis() };
    const result = await exportByFilter(merchantId, filter, { format, choice }, limits);
    if ('file' in result) return fileResponse(result.file, format.mediaType, context);
    const headers = {
      location: `/customers/exports/${result.job.id}`,
      'retry-after': String(EXPORT_POLL_S),
    };
    return json(await exportStatus(result.job), { statusCode: 202, headers });
  };
}

/** Exports the customers with these ids and returns the response. */
export async function exportByIdsResponse(
  choice: FormatChoice,
  ids: readonly number[],
  context: ApiContext,
): Promise<HttpResponse> {
  const format = fileFormat(choice);
  const ascending = ids.toSorted((a, b) => a - b);
  const file = await exportByIds(context.merchantId, ascending, format);
  return fileResponse(file, format.mediaType, context);
}

/** JSON, or a redirect to the file for a caller that prefers the file's own media type. */
function fileResponse(
  file: CreatedFile,
  mediaType: string,
  { preferredMediaType }: ApiContext,
): HttpResponse {
  return preferredMediaType === mediaType
    ? noContent({ statusCode: 303, headers: { location: file.url } })
    : json(file);
}
