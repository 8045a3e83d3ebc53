import { EXPORT_POLL_S } from '../domain/limits.ts';
import type { FormatName } from '../formats/export-format.ts';
import { type ExportFile, presign } from './export-file.ts';

/** An export that takes longer than the API waits, as far as it has come. */
export interface ExportJob {
  readonly id: string;
  readonly state: 'running' | 'ready' | 'failed';
  readonly format: FormatName;
  readonly file: ExportFile;
  /** Customers that are in the file by now. */
  readonly rowsDone: number;
  /** How many there will be, by estimate. */
  readonly rowsExpected: number;
  /** ISO 8601, as `updated`. */
  readonly started: string;
  /** When it last moved. */
  readonly updated: string;
  /** Size of the file, once it is ready. */
  readonly bytes?: number;
  /** Why it failed, in words for the caller. */
  readonly reason?: string;
}

/** What the function that goes on with an export is told. */
export interface ExportOrder {
  readonly merchant: string;
  /** The job's id. */
  readonly id: string;
  readonly format: FormatName;
  readonly file: ExportFile;
  /** Query string of the call, which has been found valid: the filters and the format's options. */
  readonly query: string;
}

/** Path at which a caller asks how an export gets on. */
export function jobPath(id: string): string {
  return `/customers/exports/${id}`;
}

/**
 * What a caller is told of an export: how far it has come, and when it is ready what an export
 * that was made at once tells, with an address that is made anew.
 */
export async function describeJob(job: ExportJob) {
  const { state, rowsDone, rowsExpected, started, updated, file, bytes, reason } = job;
  const progress = { state, rowsDone, rowsExpected, started, updated };
  if (state === 'failed') return { ...progress, reason };
  if (state === 'running') return progress;
  const { url, expires } = await presign(file);
  const { filename, contentType } = file;
  return { ...progress, url, expires, filename, contentType, count: rowsDone, bytes };
}

/** Headers that tell when to ask again for an export that still runs. */
export function pollHeaders({ state }: ExportJob): Record<string, string> {
  return state === 'running' ? { 'retry-after': String(EXPORT_POLL_S) } : {};
}
