import { loggable } from '../../aws-errors.ts';
import { FIRST_LOAD_MARGIN_MS, positionAt, readHead } from '../change-log.ts';
import { newestIndexedId } from '../customer-index.ts';
import { LAST_ID } from '../table.ts';
import { ENTRIES_PER_UNIT, MerchantSnapshot } from './merchant-snapshot.ts';
import { IndexUnderLoadError, readIndexEntries } from './read-index-entries.ts';
import { keepHeartbeats } from './schedules.ts';
import { snapshotReader } from './snapshot-files.ts';
import { RENEWAL_MS } from './snapshot-lifetime.ts';
import { openSnapshot } from './snapshot-reader.ts';
import { readSnapshotState, type SnapshotPointer } from './snapshot-state.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { claimBuild, writePointer } from './write-pointer.ts';
import { writeSnapshotFile } from './write-snapshot-file.ts';

/** Why no snapshot was built; undefined of `reason` if one was. */
export interface BuildOutcome {
  readonly reason?:
    | 'the change log is late'
    | 'there are few customers'
    | 'another build has the claim'
    | 'the customers change too fast'
    | 'the index is under load';
  readonly pointer?: SnapshotPointer;
}

/** Changes of the margin that are always accepted. */
const MIN_CHANGES = 20;
/** Part of what the index costs that the changes of the margin, or of a snapshot's time, may cost. */
const MAX_CHANGES_SHARE = 0.25;

/**
 * Builds a merchant's snapshot, of the one before and what has changed since, or of the customer index
 * if there is none or that was read long ago. The file has all changes that were recorded five minutes
 * before, and no customers that were created later: readers ask the table, by the change log, and the
 * index about the rest. So an index that is late does no harm.
 *
 * Without heartbeats it is not known whether the log is late. That matters to readers, and if a snapshot
 * is continued: what the log has later would be in none once its records have expired in the stream.
 */
export async function buildSnapshot(merchantId: string, fromId: number): Promise<BuildOutcome> {
  const startedMs = Date.now();
  const { pointer, isLogCurrent, mayBuild } = await readSnapshotState(merchantId);
  if (!mayBuild) return { reason: 'another build has the claim' };
  if (pointer && !isLogCurrent) {
    // Perhaps as there are no heartbeats, although there is a snapshot.
    await keepHeartbeats();
    return { reason: 'the change log is late' };
  }
  const newestId = await newestIndexedId(merchantId);
  if (newestId < fromId) return { reason: 'there are few customers' };
  const claim = await claimBuild(merchantId);
  if (!claim) return { reason: 'another build has the claim' };
  const untilMs = startedMs - FIRST_LOAD_MARGIN_MS;
  const head = await readHead(merchantId, true);
  const { entry: logEntry } = positionAt(head, untilMs);
  const maxUnits = Math.max(1, (newestId / ENTRIES_PER_UNIT) * MAX_CHANGES_SHARE);
  if (head.nextChange - logEntry > Math.max(MIN_CHANGES, maxUnits)) {
    return { reason: 'the customers change too fast' };
  }
  // Now, so that the first one has come when the snapshot is there.
  await keepHeartbeats();
  const options = { merchantId, untilMs, nextChange: head.nextChange, maxUnits };
  try {
    const previous =
      pointer && pointer.readFromIndexMs > startedMs - RENEWAL_MS ? pointer : undefined;
    const continued = previous && (await continueSnapshot(previous, options));
    const { lastId, count, ...file } = continued ?? (await copyIndex(options));
    if (lastId === 0) return { reason: 'there are few customers' };
    const built: SnapshotPointer = {
      key: await writeSnapshotFile(merchantId, file, startedMs),
      headBytes: file.headBytes,
      bytes: file.bytes,
      customers: count,
      lastId,
      logEntry,
      builtMs: startedMs,
      readFromIndexMs: continued && previous ? previous.readFromIndexMs : startedMs,
    };
    const isMine = await writePointer(claim, built);
    return isMine ? { pointer: built } : { reason: 'another build has the claim' };
  } catch (error) {
    if (error instanceof IndexUnderLoadError) return { reason: 'the index is under load' };
    throw error;
  }
}

interface BuildOptions {
  readonly merchantId: string;
  /** Customers that were created later are left out. */
  readonly untilMs: number;
  readonly nextChange: number;
  readonly maxUnits: number;
}

async function copyIndex(options: BuildOptions) {
  const writer = new SnapshotWriter();
  await addNewer(writer, 0, options);
  return writer.finish();
}

/** Returns undefined if the snapshot cannot be read, or if too much has changed. */
async function continueSnapshot(pointer: SnapshotPointer, options: BuildOptions) {
  const { merchantId, nextChange, maxUnits } = options;
  try {
    const file = openSnapshot(snapshotReader(pointer), pointer.headBytes);
    const snapshot = new MerchantSnapshot(merchantId, pointer, file);
    const [follows] = await Promise.all([snapshot.follow(nextChange, maxUnits), file]);
    if (!follows) return undefined;
    const writer = new SnapshotWriter();
    for await (const part of snapshot.entries()) {
      if (Array.isArray(part)) writer.add(part);
      else for await (const entries of readIndexEntries(merchantId, part)) writer.add(entries);
    }
    await addNewer(writer, pointer.lastId, options);
    return writer.finish();
  } catch (error) {
    if (error instanceof IndexUnderLoadError) throw error;
    console.warn({ message: 'Snapshot not continued', merchant: merchantId, ...loggable(error) });
    return undefined;
  }
}

/** Adds customers after an id, without those that were created too late. */
async function addNewer(
  writer: SnapshotWriter,
  afterId: number,
  { merchantId, untilMs }: BuildOptions,
): Promise<void> {
  const range = { from: afterId + 1, to: LAST_ID };
  for await (const entries of readIndexEntries(merchantId, range)) {
    const late = entries.findIndex(({ createdAt }) => createdAt > untilMs);
    writer.add(late < 0 ? entries : entries.slice(0, late));
    if (late >= 0) return;
  }
}
