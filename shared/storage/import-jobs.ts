import { setTimeout } from 'node:timers/promises';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { type ImportJob, type ImportState, STOPPED_BY_REQUEST } from '../domain/import-job.ts';
import {
  IMPORT_LIFETIME_S,
  KNOWN_IMPORTS,
  LISTED_IMPORTS,
  WORK_STALLED_S,
} from '../domain/limits.ts';
import { conditionHolds } from './condition-holds.ts';
import { documents } from './document-client.ts';
import { TABLE_NAME } from './dynamodb.ts';
import {
  expiringIn,
  IMPORT_JOB_PREFIX,
  importJobKey,
  importLockKey,
  isExpired,
  nowS,
  partitionKey,
  TTL_ATTRIBUTE,
} from './table.ts';

/** The part of an import that changes. Those that are undefined are removed. */
export type ImportChanges = Partial<
  Omit<ImportJob, 'id' | 'started' | 'updated' | 'options' | 'filename' | 'bytes'>
>;

/** From where an import moves. */
export interface ImportOrigin {
  /**
   * States that it may be in; `stopped` and `failed` also are those of a run without progress. A
   * plan that has expired is not `planned`.
   */
  readonly states: readonly ImportState[];
  /** Run that it must have. */
  readonly run?: string | undefined;
}

/** States in which a run is at work, and the one in which a run that stalls has ended. */
const RUNNING = { reading: 'failed', applying: 'stopped', undoing: 'stopped' } as const;
/** States that end when their time is over. */
const EXPIRING: readonly ImportState[] = ['awaitingFile', 'planned'];
/** Why an import stopped or failed whose run says nothing any more. */
const STALLED = {
  code: 'interrupted',
  detail: 'The import was interrupted. Send the same request again to continue it.',
};

/**
 * How long a run that has taken the lock may need to begin, in seconds: more than a function has. Later it
 * does not begin.
 */
const BEGINNING_S = 60;
/**
 * How long the last step of an import that was stopped may take, in seconds: the write units of the largest
 * one, at the pace of imports, with room.
 */
const ENDING_S = 120;
/** Attempts to take the lock: each that fails means that another import took it. */
const LOCK_ATTEMPTS = 30;
/** How often a run of the same import is waited for that is about to begin; then it is taken for dead. */
const BEGINNING_POLLS = 20;
const BEGINNING_POLL_MS = 100;

/** Stores a new import. */
export async function addImportJob(merchantId: string, job: ImportJob): Promise<void> {
  const { id, ...facts } = job;
  const put = new PutCommand({
    TableName: TABLE_NAME,
    Item: { ...importJobKey(merchantId, id), ...toAttributes(facts) },
    // A put that arrives late must not take a move back.
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  // Ids are random: if there is an item, an earlier attempt of this put has stored it.
  await conditionHolds(documents.send(put));
}

/**
 * Returns the import; undefined if the merchant has none with this id, or it is canceled or no longer
 * kept.
 */
export async function getImportJob(merchantId: string, id: string): Promise<ImportJob | undefined> {
  const { Item } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: importJobKey(merchantId, id),
      ConsistentRead: true,
    }),
  );
  return Item && isListed(Item) ? toJob(Item) : undefined;
}

/** Returns the merchant's newest imports, at most {@link LISTED_IMPORTS}, the newest first. */
export async function listImportJobs(merchantId: string): Promise<ImportJob[]> {
  const jobs: ImportJob[] = [];
  for await (const job of importJobs(merchantId)) {
    jobs.push(job);
    if (jobs.length === LISTED_IMPORTS) break;
  }
  return jobs;
}

/**
 * Yields those of the merchant's newest {@link KNOWN_IMPORTS} imports that are neither canceled nor no
 * longer kept, the newest first. A merchant that creates and deletes imports time and again must not
 * make each call longer.
 */
export async function* importJobs(merchantId: string): AsyncGenerator<ImportJob> {
  let left = KNOWN_IMPORTS;
  let start: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await documents.send(
      new QueryCommand({
        TableName: TABLE_NAME,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': partitionKey(merchantId),
          ':prefix': IMPORT_JOB_PREFIX,
        },
        ConsistentRead: true,
        // Ids sort by the time at which they were created.
        ScanIndexForward: false,
        Limit: Math.min(LISTED_IMPORTS, left),
        ...(start && { ExclusiveStartKey: start }),
      }),
    );
    for (const item of Items) if (isListed(item)) yield toJob(item);
    left -= Items.length;
    start = LastEvaluatedKey;
  } while (start && left > 0);
}

/**
 * Changes an import, if it is where it is said to be: of two callers that move it at a time, one does.
 * May be repeated.
 *
 * @param stalledAfterS seconds after which the run, without progress, has ended.
 * @returns the import as it then is; undefined, and changes nothing, if it is elsewhere.
 */
export async function moveImportJob(
  merchantId: string,
  id: string,
  origin: ImportOrigin,
  changes: ImportChanges,
  stalledAfterS = WORK_STALLED_S,
): Promise<ImportJob | undefined> {
  const expression = new Expression();
  const places = [
    ...placesOf(origin, expression),
    ...(changes.run === undefined ? [] : [begunBy(changes, expression)]),
  ];
  // DynamoDB refuses parentheses that are not needed.
  const isThere = places.length > 1 ? `(${places.join(' OR ')})` : places[0];
  const condition = `${expression.name('expiresAt')} > ${expression.value(nowS())} AND ${isThere}`;
  const update = new UpdateCommand({
    TableName: TABLE_NAME,
    Key: importJobKey(merchantId, id),
    UpdateExpression: expression.setting({
      ...toAttributes(changes),
      updated: new Date().toISOString(),
      stalledAt: nowS() + stalledAfterS,
    }),
    ConditionExpression: condition,
    ...expression.parts(),
    ReturnValues: 'ALL_NEW',
  });
  try {
    const { Attributes } = await documents.send(update);
    return Attributes && toJob(Attributes);
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Returns conditions of which one holds if an import is where it is said to be. */
function placesOf({ states, run }: ImportOrigin, expression: Expression): string[] {
  const state = expression.name('importState');
  const isOwn = run === undefined ? [] : [`${expression.name('run')} = ${expression.value(run)}`];
  const stored = states.map((each) => expression.value(each));
  const stalled = Object.entries(RUNNING).filter(([, ended]) => states.includes(ended));
  return [
    [`${state} IN (${stored.join(', ')})`],
    ...stalled.map(([running]) => [
      `${state} = ${expression.value(running)}`,
      `${expression.name('stalledAt')} <= ${expression.value(nowS())}`,
    ]),
  ].map((conditions) => [...conditions, ...isOwn].join(' AND '));
}

/** Returns the condition that an earlier attempt, whose response was lost, has begun the run. */
function begunBy({ state, run }: ImportChanges, expression: Expression): string {
  const hasState = `${expression.name('importState')} = ${expression.value(state)}`;
  return `${hasState} AND ${expression.name('run')} = ${expression.value(run)}`;
}

/** Names and values of the expressions of one request: some names are reserved words of DynamoDB. */
class Expression {
  readonly #names: Record<string, string> = {};
  readonly #values: Record<string, unknown> = {};

  name(name: string): string {
    this.#names[`#${name}`] = name;
    return `#${name}`;
  }

  value(value: unknown): string {
    const name = `:v${Object.keys(this.#values).length}`;
    this.#values[name] = value;
    return name;
  }

  /** Returns an update that sets these attributes, and removes those that are undefined. */
  setting(attributes: Readonly<Record<string, unknown>>): string {
    const entries = Object.entries(attributes);
    const set = entries
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${this.name(name)} = ${this.value(value)}`);
    const remove = entries
      .filter(([, value]) => value === undefined)
      .map(([name]) => this.name(name));
    return `SET ${set.join(', ')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`;
  }

  parts() {
    return {
      ExpressionAttributeNames: this.#names,
      ExpressionAttributeValues: this.#values,
    };
  }
}

/** The merchant's lock: which import is applied or undone, and by which of its runs. */
interface Lock {
  readonly lockedBy?: string;
  readonly run?: string;
  /** Unix time in seconds. */
  readonly lockedAt?: number;
}

/**
 * Takes the merchant's lock for a run that is about to apply or undo an import, so that one is at a
 * time. A run that has ended holds it no longer, also if it crashed and did not release it.
 *
 * @returns the id of the import that has the lock, be it this one, if the run does not get it; otherwise
 * the run of this import that had it and did not begin, if there was one.
 */
export async function takeImportLock(
  merchantId: string,
  id: string,
  run: string,
): Promise<{ readonly holder?: string; readonly from?: string | undefined }> {
  let from: string | undefined;
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
    const lock = await readImportLock(merchantId);
    // The SDK's retry of a write whose response was lost fails, although the lock is taken.
    if (lock.run === run) return { from };
    const holder = lock.lockedBy;
    const job = holder === undefined ? undefined : await getImportJob(merchantId, holder);
    const isBeginning = job !== undefined && isAboutToBegin(job, lock);
    if (holder !== undefined && job) {
      if (EXCLUSIVE.includes(job.state)) return { holder };
      if (holder !== id && (isBeginning || isAboutToEnd(job, lock))) return { holder };
      if (isBeginning && attempt < BEGINNING_POLLS) {
        await setTimeout(BEGINNING_POLL_MS);
        continue;
      }
      // A run that has stalled could go on.
      if (holder !== id && job.state === 'stopped') {
        const { state, reason } = job;
        await moveImportJob(merchantId, holder, { states: [state] }, { state, reason });
      }
    }
    from = isBeginning ? lock.run : undefined;
    if (await lockAfter(merchantId, { id, run }, lock)) return { from };
  }
  throw new UnavailableError();
}

/** States of an import that has the lock, and those from which it takes it. */
const EXCLUSIVE: readonly ImportState[] = ['applying', 'undoing'];
const EXCLUSIVE_ORIGINS: readonly ImportState[] = ['planned', 'applied', 'stopped'];

/** Returns whether the run that has the lock may not have moved its import yet. */
function isAboutToBegin({ state, run }: ImportJob, lock: Lock): boolean {
  const isRecent = (lock.lockedAt ?? 0) > nowS() - BEGINNING_S;
  return EXCLUSIVE_ORIGINS.includes(state) && run !== lock.run && isRecent;
}

/** Returns whether the run that has the lock was stopped, and may be at its last step. */
function isAboutToEnd({ state, run, reason, updated }: ImportJob, lock: Lock): boolean {
  const isStopped = state === 'stopped' && reason?.code === STOPPED_BY_REQUEST;
  return isStopped && run === lock.run && Date.parse(updated) > Date.now() - ENDING_S * 1_000;
}

/** Returns whether an import that was stopped may be at its last step. */
export async function isStopping(merchantId: string, job: ImportJob): Promise<boolean> {
  const lock = await readImportLock(merchantId);
  return lock.lockedBy === job.id && isAboutToEnd(job, lock);
}

async function readImportLock(merchantId: string): Promise<Lock> {
  const { Item = {} } = await documents.send(
    new GetCommand({
      TableName: TABLE_NAME,
      Key: importLockKey(merchantId),
      ConsistentRead: true,
    }),
  );
  return Item;
}

/** Returns whether the lock was still as it was read, and is taken. */
function lockAfter(
  merchantId: string,
  { id, run }: { readonly id: string; readonly run: string },
  lock: Lock,
): Promise<boolean> {
  const expression = new Expression();
  const name = expression.name('run');
  const condition =
    lock.run === undefined
      ? `attribute_not_exists(${name})`
      : `${name} = ${expression.value(lock.run)}`;
  return conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: importLockKey(merchantId),
        UpdateExpression: expression.setting({
          lockedBy: id,
          run,
          lockedAt: nowS(),
          ...expiringIn(IMPORT_LIFETIME_S),
        }),
        ConditionExpression: condition,
        ...expression.parts(),
      }),
    ),
  );
}

/**
 * Gives up the lock that a run has taken, since another one has moved its import first. If that one is at
 * work, it has lost the lock to this run and gets it.
 *
 * @param job the import as it is now; undefined if it is canceled.
 * @param from the run that had the lock and did not begin. It may still, and keeps others out until it is
 * too late.
 */
export async function giveUpImportLock(
  merchantId: string,
  job: ImportJob | undefined,
  { run, from }: { readonly run: string; readonly from?: string | undefined },
): Promise<void> {
  if (!job?.run || !EXCLUSIVE.includes(job.state)) {
    if (!job || from === undefined || from === job.run) await releaseImportLock(merchantId, run);
    return;
  }
  await lockAfter(merchantId, { id: job.id, run: job.run }, { run });
  const later = await getImportJob(merchantId, job.id);
  const isAtWork = later?.run === job.run && EXCLUSIVE.includes(later.state);
  if (!isAtWork) await releaseImportLock(merchantId, job.run);
}

/** Releases the lock, if the run has it. May be repeated. */
export async function releaseImportLock(merchantId: string, run: string): Promise<void> {
  const expression = new Expression();
  await conditionHolds(
    documents.send(
      new UpdateCommand({
        TableName: TABLE_NAME,
        Key: importLockKey(merchantId),
        ConditionExpression: `${expression.name('run')} = ${expression.value(run)}`,
        UpdateExpression: expression.setting({
          lockedBy: undefined,
          run: undefined,
          ...expiringIn(0),
        }),
        ...expression.parts(),
      }),
    ),
  );
}

function isListed(item: Readonly<Record<string, unknown>>): boolean {
  return !isExpired(item) && item.importState !== 'canceled';
}

/** Returns an import's attributes, by the names in `IMPORT_JOB_ATTRIBUTES`: a customer has a `state`. */
function toAttributes(job: ImportChanges & Partial<ImportJob>): Record<string, unknown> {
  const { state, options, plan, expires, ...rest } = job;
  return {
    ...rest,
    ...('state' in job && { importState: state }),
    ...('options' in job && { importOptions: options }),
    ...('plan' in job && { importPlan: plan }),
    ...('expires' in job && { usableUntil: expires }),
    ...expiringIn(IMPORT_LIFETIME_S),
  };
}

function toJob(item: Readonly<Record<string, unknown>>): ImportJob {
  const { pk, sk, importState, importOptions, importPlan, usableUntil, stalledAt, ...rest } = item;
  const { [TTL_ATTRIBUTE]: _, ...facts } = rest;
  const state = importState as ImportState;
  const hasStalled = state in RUNNING && (stalledAt as number) <= nowS();
  const hasExpired = EXPIRING.includes(state) && Date.parse(usableUntil as string) <= Date.now();
  return {
    ...facts,
    id: (sk as string).slice(IMPORT_JOB_PREFIX.length),
    options: importOptions,
    plan: importPlan,
    expires: usableUntil,
    state: hasStalled ? RUNNING[state as keyof typeof RUNNING] : hasExpired ? 'expired' : state,
    ...(hasStalled && { reason: STALLED }),
  } as ImportJob;
}
