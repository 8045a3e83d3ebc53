import type { ExportJob } from '../domain/export.ts';

/** Returns the status of a long export as the API responds with it, without its file. */
export function exportProgress(job: ExportJob) {
  const { id, format, state, rowsDone, rowsExpected, started, updated, reason } = job;
  const progress = { exportId: id, format, state, rowsDone, rowsExpected, started, updated };
  return state === 'failed' ? { ...progress, reason } : progress;
}
