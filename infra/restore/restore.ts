import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { UsageError } from '../command.ts';
import type { Settings } from '../settings.ts';
import { type CustomerId, type PreparedItems, prepareItems } from './restored-items.ts';
import {
  applySettings,
  describeTable,
  enableStream,
  nameOfRestored,
  startRestore,
  waitUntilRestored,
} from './restored-table.ts';

/** How often DynamoDB is asked how far it is, in milliseconds. */
const POLL_MS = 5_000;

export interface RestoreOptions {
  readonly client: DynamoDBClient;
  readonly settings: Settings;
  /** The table that is in use, or was until it was deleted. */
  readonly source: string;
  /** The time to restore to, in milliseconds since 1970; not needed for a table that is restored. */
  readonly contentMs?: number | undefined;
  /** A table that was restored otherwise, such as from the backup of a deleted table. */
  readonly restored?: string | undefined;
  readonly keepVersions?: boolean;
  /** Customers to delete again, of those that were deleted since. */
  readonly erase?: readonly CustomerId[];
  readonly pollMs?: number;
  /** Receives what happens. */
  readonly report?: (line: string) => void;
}

/** A restored table, ready for use. */
export interface Restored {
  readonly items: PreparedItems;
  /** Settings of the stage from now on. */
  readonly table: { readonly name: string; readonly streamArn: string };
  readonly changesEpoch: number;
}

/**
 * Restores a table into a new one, and prepares that for use. Each step finds what is done already, so
 * that the whole is repeated after a crash. Nothing of the old table is changed.
 *
 * The stream comes last: what is written here is then in no change log. Clients need not see it, as
 * the new epoch lets each of them load all customers again.
 *
 * @throws UsageError if the stage is not ready for it, or a table is not what it should be.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { client, settings, source, pollMs = POLL_MS, report = () => {} } = options;
  const old = await describeTable(client, source);
  const target = targetOf(options);
  if (target === source) {
    throw new UsageError(
      `${settings.stage} uses ${target} already. To restore to another time, give --at that time.`,
    );
  }
  if (old && !settings.closed) {
    throw new UsageError(
      `Close the register first, so that it gives out no ids meanwhile: set closed: true for ${settings.stage} in infra/stages.ts, and deploy.`,
    );
  }
  if (await describeTable(client, target)) {
    report(`${target} is there; continuing with it.`);
  } else {
    await begin(options, target, old !== undefined);
    report(`${source} is restored into ${target}, which takes from some minutes to hours.`);
  }
  const { contentMs } = options;
  const restored = await waitUntilRestored(client, target, { source, contentMs, pollMs });
  report(`${target} is restored to ${new Date(restored.contentMs).toISOString()}.`);
  await applySettings(client, restored, settings, pollMs);
  report('It has TTL, point-in-time recovery, deletion protection and tags as the stage has.');
  if (!old) report(`${source} is gone: what was deleted since then is not known, and may be back.`);
  const changesEpoch = settings.changesEpoch + 1;
  const items = await prepareItems(client, {
    restored,
    old: old && source,
    epoch: changesEpoch,
    keepVersions: options.keepVersions ?? false,
    erase: options.erase ?? [],
  });
  const streamArn = await enableStream(client, restored, pollMs);
  report('Its stream is enabled.');
  return { items, table: { name: target, streamArn }, changesEpoch };
}

/** Returns the name of the restored table. */
function targetOf({ source, contentMs, restored }: RestoreOptions): string {
  if (restored !== undefined) return restored;
  if (contentMs === undefined) throw new UsageError('--at is required: the time to restore to.');
  return nameOfRestored(source, contentMs);
}

async function begin(options: RestoreOptions, target: string, hasSource: boolean): Promise<void> {
  const { client, source, contentMs } = options;
  if (options.restored !== undefined) {
    throw new UsageError(`--restored: there is no table ${target}.`);
  }
  if (!hasSource) {
    throw new UsageError(
      `There is no table ${source}. Restore the backup that DynamoDB keeps of a deleted table (aws dynamodb list-backups --backup-type SYSTEM; aws dynamodb restore-table-from-backup), and continue with --restored and its name.`,
    );
  }
  await startRestore(client, source, target, contentMs as number);
}
