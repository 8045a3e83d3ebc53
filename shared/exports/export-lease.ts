import { setTimeout } from 'node:timers/promises';
import { beforeDeadline } from '../concurrency.ts';
import { releaseExportLease, takeExportLease } from '../storage/export-leases.ts';

/** Exports that complete earlier need no lease: most do, and it costs a read and two writes. */
const LEASE_AFTER_MS = 250;
/** How long an export that has ended waits for its lease to be taken, and then to be released. */
const RELEASE_MS = 2_000;

/**
 * Runs an export that is to have one of its merchant's leases if it takes longer than
 * {@link LEASE_AFTER_MS}. So one merchant's slow exports leave executions for those of others.
 *
 * @param work is to end when the signal aborts: there is no lease.
 * @throws RateLimitError if the merchant's leases are all taken by then.
 */
export async function withExportLease<T>(
  merchantId: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const refused = new AbortController();
  const lease = takeLease(merchantId, ended.signal);
  lease.catch((error) => ended.signal.aborted || refused.abort(error));
  try {
    return await work(refused.signal);
  } catch (error) {
    // Aborted requests fail with errors of their own.
    throw refused.signal.aborted ? refused.signal.reason : error;
  } finally {
    ended.abort();
    await release(lease);
  }
}

interface TakenLease {
  release(): Promise<void>;
}

/** @throws AbortError if the export has ended by then. */
async function takeLease(merchantId: string, ended: AbortSignal): Promise<TakenLease> {
  await setTimeout(LEASE_AFTER_MS, undefined, { signal: ended });
  const lease = await takeExportLease(merchantId);
  return { release: () => releaseExportLease(merchantId, lease) };
}

/** Releases the lease, if there is one. That this fails has no effect but that it expires later. */
async function release(lease: Promise<TakenLease>): Promise<void> {
  const released = lease.then((taken) => taken.release());
  await beforeDeadline(AbortSignal.timeout(RELEASE_MS), released).catch(() => {});
}
