import type { ExportJob } from '../shared/domain/export.ts';
import { EXPORT_POLL_S } from '../shared/domain/limits.ts';
import type { CreatedFile } from '../shared/exports/create-export.ts';
import type { ExportResult } from '../shared/exports/export-by-filter.ts';
import { exportStatus } from '../shared/exports/export-file.ts';
import { type ApiContext, json, noContent } from '../shared/http/api.ts';
import { createChangesToken } from '../shared/http/changes-token.ts';
import type { HttpEvent, HttpResponse } from '../shared/http/event.ts';

/**
 * Returns the response to a HEAD of an export, which creates no file: the media type that a GET
 * leads to. What only the file would tell is left out (RFC 9110, section 9.3.2).
 */
export function headResponse({ preferredMediaType }: ApiContext): HttpResponse {
  return noContent({ headers: { 'content-type': preferredMediaType } });
}

/** Returns whether a request is a HEAD, which API Gateway routes to the function of its GET. */
export function isHead({ requestContext }: HttpEvent): boolean {
  return requestContext.http.method === 'HEAD';
}

/** Returns the response of an export: its file, or 202 if it continues in the background. */
export async function exportResponse(
  result: ExportResult,
  mediaType: string,
  context: ApiContext,
): Promise<HttpResponse> {
  if ('file' in result) return fileResponse(result.file, mediaType, context);
  const headers = {
    location: `/customers/exports/${result.job.id}`,
    'retry-after': String(EXPORT_POLL_S),
  };
  return jobResponse(result.job, context, { statusCode: 202, headers });
}

/** Returns the response of a long export: its status, and its file once that is ready. */
export async function jobResponse(
  job: ExportJob,
  { merchantId }: ApiContext,
  response: HttpResponse,
): Promise<HttpResponse> {
  const status = await exportStatus(job);
  const hasFile = job.state === 'running' || job.state === 'ready';
  const changesFrom = createChangesToken(merchantId, job.changesFrom);
  return json(hasFile ? { ...status, changesFrom } : status, response);
}

/**
 * Returns the response of a file: JSON, or a redirect for a caller that prefers the file's media
 * type.
 */
export function fileResponse(
  { changesFrom, ...file }: CreatedFile,
  mediaType: string,
  { preferredMediaType, merchantId }: ApiContext,
): HttpResponse {
  const token = createChangesToken(merchantId, changesFrom);
  const headers = { location: file.url, 'changes-from': token };
  return preferredMediaType === mediaType
    ? noContent({ statusCode: 303, headers })
    : json({ ...file, changesFrom: token });
}
