import { loggable } from '../../aws-errors.ts';
import { MerchantSnapshot } from './merchant-snapshot.ts';
import { type IdsAround, openSnapshot } from './snapshot-reader.ts';
import { readSnapshotState, type SnapshotPointer, type SnapshotState } from './snapshot-state.ts';

/** How long a state that was read is used. */
const STATE_MS = 10_000;
/** How long a file that could not be read is not tried again. */
const UNREADABLE_MS = 60_000;
/** Snapshots that are kept, of which {@link openSnapshot} bounds the memory, and other values. */
const MAX_SNAPSHOTS = 50;
const MAX_REMEMBERED = 1_000;

/** A merchant's state as it was read. */
interface ReadState {
  readonly state: SnapshotState;
  readonly atMs: number;
}

/** What this execution environment has read, by merchant; the one used last is the last. */
const snapshots = new Map<string, MerchantSnapshot>();
const states = new Map<string, ReadState>();
/** Keys of files that could not be read, and when. */
const unreadable = new Map<string, number>();

/**
 * Returns a merchant's snapshot with what has changed since, or undefined if the index has to be read:
 * if there is none that is recent, if the change log is late, or if anything fails. Starts a build if one
 * is due.
 */
export async function openMerchantSnapshot(
  merchantId: string,
): Promise<MerchantSnapshot | undefined> {
  try {
    return await open(merchantId);
  } catch (error) {
    forgetSnapshot(merchantId, error);
    return undefined;
  }
}

/**
 * Returns between which ids of a merchant's snapshot a time begins, as far as this execution environment
 * has a snapshot; undefined if the index has to tell.
 */
export async function idsAroundInSnapshot(
  merchantId: string,
  time: number,
): Promise<IdsAround | undefined> {
  try {
    return await snapshots.get(merchantId)?.idsAround(time);
  } catch (error) {
    forgetSnapshot(merchantId, error);
    return undefined;
  }
}

/** Forgets a merchant's snapshot, which could not be read. */
export function forgetSnapshot(merchantId: string, error: unknown): void {
  console.warn({ message: 'Snapshot not read', merchant: merchantId, ...loggable(error) });
  const key = snapshots.get(merchantId)?.pointer.key ?? states.get(merchantId)?.state.pointer?.key;
  snapshots.delete(merchantId);
  states.delete(merchantId);
  if (key) remember(unreadable, key, Date.now());
}

async function open(merchantId: string): Promise<MerchantSnapshot | undefined> {
  const known = snapshots.get(merchantId);
  // Together, as most calls find that the pointer is the same.
  const [state, follows] = await Promise.all([
    currentState(merchantId),
    known ? known.follow(0) : false,
  ]);
  const { pointer, isLogCurrent, nextChange, mayBuild } = state;
  if (!isLogCurrent) {
    // The builder looks after the heartbeats.
    if (mayBuild) await build(merchantId);
    return undefined;
  }
  const isUnreadable =
    pointer !== undefined && (unreadable.get(pointer.key) ?? 0) > Date.now() - UNREADABLE_MS;
  const isSame = known !== undefined && follows && known.pointer.key === pointer?.key;
  let snapshot = isSame ? known : undefined;
  // Its texts may be of customers that were deleted long ago.
  if (!isSame) snapshots.delete(merchantId);
  if (!isSame && pointer && !isUnreadable) snapshot = await load(merchantId, pointer, nextChange);
  if (mayBuild && (!snapshot || snapshot.isDue)) await build(merchantId);
  return snapshot;
}

async function build(merchantId: string): Promise<void> {
  const { startBuild } = await import('./start-build.ts');
  await startBuild(merchantId);
}

async function load(
  merchantId: string,
  pointer: SnapshotPointer,
  nextChange: number,
): Promise<MerchantSnapshot | undefined> {
  const { snapshotReader } = await import('./snapshot-files.ts');
  const file = openSnapshot(snapshotReader(pointer), pointer.headBytes);
  const snapshot = new MerchantSnapshot(merchantId, pointer, file);
  const [follows] = await Promise.all([snapshot.follow(nextChange), file]);
  if (!follows) return undefined;
  remember(snapshots, merchantId, snapshot, MAX_SNAPSHOTS);
  return snapshot;
}

async function currentState(merchantId: string): Promise<SnapshotState> {
  const known = states.get(merchantId);
  if (known && known.atMs > Date.now() - STATE_MS) return known.state;
  const state = await readSnapshotState(merchantId);
  remember(states, merchantId, { state, atMs: Date.now() });
  return state;
}

function remember<T>(
  values: Map<string, T>,
  key: string,
  value: T,
  maxValues = MAX_REMEMBERED,
): void {
  values.delete(key);
  values.set(key, value);
  const [oldest = ''] = values.keys();
  if (values.size > maxValues) values.delete(oldest);
}
