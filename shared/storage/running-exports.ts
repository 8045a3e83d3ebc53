import { setTimeout } from 'node:timers/promises';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { RateLimitError, UnavailableError } from '../domain/errors.ts';
import type { ExportJob } from '../domain/export.ts';
import { CONCURRENT_LONG_EXPORTS, EXPORT_JOB_LIFETIME_S } from '../domain/limits.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { readExportJob } from './export-jobs.ts';
import { expiringIn, runningExportsKey, TTL_ATTRIBUTE } from './table.ts';

/** When to retry if as many run as may. */
const RETRY_AFTER_S = 30;
/** How long an entry counts whose job is not stored yet. */
const STARTING_MS = 30_000;
/** Attempts to add an entry: each that fails means that another export starts. */
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 100;

/** An export that is about to start, or that runs, or that has ended since. */
interface Entry {
  readonly id: string;
  /** Hash of format and filter: two exports with one would be the same file. */
  readonly inputHash: string;
  /** When it was added; milliseconds since 1970. */
  readonly added: number;
}

/**
 * Adds a long export to those of the merchant that run, before its job is stored. Which of the others
 * still run is read from their jobs, so that a worker need not say that it has ended, and may crash.
 *
 * @returns undefined; the job of the same export if that runs already, and adds nothing.
 * @throws RateLimitError if as many run as may.
 */
export async function addRunningExport(
  merchantId: string,
  id: string,
  inputHash: string,
): Promise<ExportJob | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { entries, revision } = await readEntries(merchantId);
    const running = (
      await Promise.all(
        entries.map(async (entry) => ({ entry, job: await readExportJob(merchantId, entry.id) })),
      )
    ).filter(({ entry, job }) => (job ? isRunning(job) : entry.added > Date.now() - STARTING_MS));
    const same = running.find(({ entry }) => entry.inputHash === inputHash);
    if (same?.entry.id === id) return undefined;
    if (same?.job) return same.job;
    if (!same) {
      if (running.length >= CONCURRENT_LONG_EXPORTS) throw tooMany();
      const others = running.map(({ entry }) => entry);
      const added = { id, inputHash, added: Date.now() };
      if (await writeEntries(merchantId, [...others, added], revision)) return undefined;
    }
    // Another export was added meanwhile, or the same one is being started.
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}

function isRunning({ state, isExpired }: ExportJob & { readonly isExpired: boolean }): boolean {
  return state === 'running' && !isExpired;
}

function tooMany(): RateLimitError {
  return new RateLimitError(
    `${CONCURRENT_LONG_EXPORTS} long exports of yours are running, and no more may run at a time. ` +
      'Wait for one to end, or cancel it.',
    RETRY_AFTER_S,
  );
}

async function readEntries(merchantId: string) {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: runningExportsKey(merchantId),
      ConsistentRead: true,
    }),
  );
  return {
    entries: (Item?.runningExports ?? []) as readonly Entry[],
    revision: (Item?.revision ?? 0) as number,
  };
}

/** Returns whether the entries were still those of the revision. */
async function writeEntries(
  merchantId: string,
  entries: readonly Entry[],
  revision: number,
): Promise<boolean> {
  return conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: runningExportsKey(merchantId),
        UpdateExpression:
          'SET #runningExports = :entries, #revision = :next, #expiresAt = :expiresAt',
        ConditionExpression: revision === 0 ? 'attribute_not_exists(pk)' : '#revision = :revision',
        ExpressionAttributeNames: {
          '#runningExports': 'runningExports',
          '#revision': 'revision',
          '#expiresAt': TTL_ATTRIBUTE,
        },
        ExpressionAttributeValues: {
          ':entries': entries,
          ':next': revision + 1,
          ...(revision > 0 && { ':revision': revision }),
          ':expiresAt': expiringIn(EXPORT_JOB_LIFETIME_S)[TTL_ATTRIBUTE],
        },
      }),
    ),
  );
}
