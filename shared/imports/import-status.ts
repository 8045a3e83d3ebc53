import type { ImportJob } from '../domain/import-job.ts';

/** Returns an import as the API responds with it. */
export function importStatus({ id, ...job }: ImportJob) {
  const { state, options, filename, bytes, sha256, facts, plan, rowsDone, results, undone } = job;
  const { leaveOut, started, updated, expires, reason } = job;
  return {
    importId: id,
    state,
    options,
    filename,
    bytes,
    sha256,
    ...facts,
    plan: plan?.tag,
    rows: plan?.rows,
    counts: plan?.counts,
    rowsDone,
    leaveOut,
    results,
    undone,
    started,
    updated,
    expires,
    reason: state === 'stopped' || state === 'failed' ? reason : undefined,
  };
}
