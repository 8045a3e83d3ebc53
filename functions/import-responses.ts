import type { ImportJob } from '../shared/domain/import-job.ts';
import { IMPORT_POLL_S } from '../shared/domain/limits.ts';
import { json } from '../shared/http/api.ts';
import { entityTag, meetsIfMatch } from '../shared/http/conditional-requests.ts';
import type { HttpEvent, HttpResponse } from '../shared/http/event.ts';
import { Problem } from '../shared/http/problem-details.ts';
import { importStatus } from '../shared/imports/import-status.ts';

/** States in which work is being done. */
const WORKING: readonly ImportJob['state'][] = ['reading', 'applying', 'undoing'];

/**
 * Returns the response of an import: its status, and 202 with where to poll if work is being done in
 * the background.
 */
export function importResponse(
  job: ImportJob,
  { statusCode, more = {} }: { readonly statusCode?: number; readonly more?: object } = {},
): HttpResponse {
  const isWorking = WORKING.includes(job.state);
  const status = statusCode === 200 || !isWorking ? (statusCode ?? 200) : 202;
  const location = `/customers/imports/${job.id}`;
  return json(
    { ...importStatus(job), ...more },
    {
      statusCode: status,
      headers: {
        ...(job.plan && { etag: entityTag(job.plan.tag) }),
        ...(status !== 200 && { location }),
        ...(isWorking && { 'retry-after': String(IMPORT_POLL_S) }),
      },
    },
  );
}

/** Returns whether the caller prefers work in the background (RFC 7240, section 4.1). */
export function prefersAsync({ headers }: HttpEvent): boolean {
  const preferences = (headers.prefer ?? '').split(',');
  return preferences.some((each) => /^\s*respond-async\s*(?:;|$)/i.test(each));
}

/**
 * Returns whether a plan is the one that the caller has seen.
 *
 * @throws Problem 428 (RFC 6585, section 3) if the caller does not say.
 */
export function expectedPlan({ headers }: HttpEvent): (tag: string) => boolean {
  const ifMatch = headers['if-match'];
  if (ifMatch === undefined) {
    const detail = 'is missing; send the ETag of the import whose plan you have seen';
    throw new Problem(428, `If-Match ${detail}.`, { faults: [{ header: 'If-Match', detail }] });
  }
  return (tag) => meetsIfMatch(ifMatch, tag);
}
