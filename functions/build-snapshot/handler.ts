import { requiredNumber } from '../../shared/environment.ts';
import { buildSnapshot } from '../../shared/storage/snapshots/build-snapshot.ts';

const FROM_ID = requiredNumber('snapshotFromId');

/**
 * Builds the snapshot of a merchant's customer index. Functions that search invoke it, asynchronously,
 * when a snapshot is missing, old, or far behind; a second invocation at the time does nothing.
 */
export async function handler({ merchantId }: { readonly merchantId: string }): Promise<void> {
  const started = performance.now();
  const { pointer, reason } = await buildSnapshot(merchantId, FROM_ID);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  if (!pointer) {
    console.info({ message: 'Snapshot not built', merchant: merchantId, reason, seconds });
    return;
  }
  const { customers, bytes, builtMs, readFromIndexMs } = pointer;
  const from = builtMs === readFromIndexMs ? 'index' : 'snapshot';
  console.info({
    message: 'Snapshot built',
    merchant: merchantId,
    customers,
    bytes,
    from,
    seconds,
  });
}
