import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  QueryCommand,
  ScanCommand,
  type ScanCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { mapConcurrently } from '../../shared/concurrency.ts';
import { customeridForm } from '../../shared/domain/look-up-forms.ts';
import { conditionHolds } from '../../shared/storage/condition-holds.ts';
import { parseChanges } from '../../shared/storage/log-entries.ts';
import {
  CLAIM_OWNER,
  CLAIMED,
  CUSTOMER_PREFIX,
  changeLogHeadKey,
  claimKey,
  customerInKey,
  customerKey,
  customersIn,
  idInSortKey,
  PARTITION_PREFIX,
  sequenceKey,
  snapshotKey,
} from '../../shared/storage/table.ts';
import type { RestoredTable } from './restored-table.ts';

/**
 * Distance between what the restored table continues with and what the old one may have given out:
 * versions of a customer, numbers of the change log and, if the old table is gone, ids. No customer
 * and no merchant has as many changes between two restores.
 */
const MARGIN = 1_000_000;
/** Parts of a table that are scanned at a time, merchants of each, and calls for a merchant's items. */
const SEGMENTS = 4;
const CONCURRENT_MERCHANTS = 4;
const CONCURRENCY = 16;
/** How far clocks of functions may differ, in milliseconds. */
const CLOCK_SKEW_MS = 10 * 60_000;
/** Sort key prefixes of export jobs, running exports and leases, and of imports, their lock and records. */
const JOB_PREFIXES = ['EXPORT', 'IMPORT'];

/** A customer by its key. */
export interface CustomerId {
  readonly merchant: string;
  readonly id: number;
}

/** A customer that was deleted since the time of the backup. */
export interface ErasedCustomer extends CustomerId {
  /** When the change log recorded it, ISO 8601; undefined if it has not. */
  readonly deleted?: string | undefined;
}

export interface PrepareOptions {
  readonly restored: RestoredTable;
  /** Name of the table that is replaced; undefined if it is gone. */
  readonly old: string | undefined;
  /** The generation of the change logs from now on: the setting `changesEpoch`. */
  readonly epoch: number;
  /** Whether versions stay as they are, so that entity tags may be given twice. */
  readonly keepVersions: boolean;
  /** Customers to delete, if they were deleted since the time of the backup. */
  readonly erase: readonly CustomerId[];
}

/** What {@link prepareItems} has found and done. */
export interface PreparedItems {
  /** Merchants whose ids continue after those given already. */
  readonly merchants: number;
  /** Customers in the restored table, without those that are deleted again. */
  readonly customers: number;
  /** Customers whose version was raised; in a repeat those that had not been raised before. */
  readonly raised: number;
  /** Customers that were deleted since, and are in the restored table. */
  readonly erased: readonly ErasedCustomer[];
  /** How many were deleted again. */
  readonly erasedAgain: number;
  /** Customers of `erase` that were left, as the old table has them. */
  readonly kept: readonly CustomerId[];
}

/** Where a merchant's ids and change log have ended. */
interface Ends {
  readonly lastId?: number | undefined;
  /** Creation time of the last customer, ISO 8601. */
  readonly lastDate?: string | undefined;
  readonly nextChange?: number | undefined;
  /** When the newest mark of the log was set, in milliseconds since 1970. */
  readonly markedMs?: number | undefined;
}

/** What the old table has given out since the time of the backup. */
interface OldTable {
  readonly name: string;
  readonly ends: ReadonlyMap<string, Ends>;
  /** When customers were deleted, in milliseconds since 1970, by merchant and id. */
  readonly deletions: ReadonlyMap<string, number>;
}

type Item = Readonly<Record<string, unknown>> & { readonly pk: string; readonly sk: string };

/**
 * Prepares the items of a restored table for use, so that nothing that callers got since the time of
 * the backup is given out again with another meaning:
 *
 * - Each merchant's ids continue after the old table's.
 * - Versions, which are entity tags, continue {@link MARGIN} later, and so do the numbers of the
 *   change log.
 * - Jobs and files of exports of that time are forgotten, and so are snapshots of the customer index.
 * - Customers that were deleted since are found, and deleted again if they are among `erase`.
 *
 * Each write is conditional on what was read and is not made twice, so that the whole may be repeated
 * after a crash. Nothing is written into the old table. Both must be at rest.
 */
export async function prepareItems(
  client: DynamoDBClient,
  options: PrepareOptions,
): Promise<PreparedItems> {
  return new Preparation(client, options).run();
}

class Preparation {
  readonly #documents: DynamoDBDocumentClient;
  readonly #options: PrepareOptions;
  readonly #toErase: ReadonlySet<string>;
  readonly #ends = new Map<string, Ends>();
  readonly #erased: ErasedCustomer[] = [];
  readonly #kept: CustomerId[] = [];
  #customers = 0;
  #raised = 0;
  #erasedAgain = 0;

  constructor(client: DynamoDBClient, options: PrepareOptions) {
    this.#documents = DynamoDBDocumentClient.from(client);
    this.#options = options;
    this.#toErase = new Set(options.erase.map(nameOf));
  }

  async run(): Promise<PreparedItems> {
    const { old, restored } = this.#options;
    const oldTable = old === undefined ? undefined : await this.#readOld(old);
    await this.#scan(
      {
        TableName: restored.name,
        ProjectionExpression: `pk, sk, version, customerid, ${CLAIMED}, lastId, lastDate, nextChange, marks`,
      },
      (items) => this.#preparePage(items, oldTable),
    );
    const merchants = new Set([...this.#ends.keys(), ...(oldTable?.ends.keys() ?? [])]);
    await mapConcurrently(merchants, CONCURRENCY, async (merchant) => {
      const own = this.#ends.get(merchant) ?? {};
      const before = oldTable?.ends.get(merchant) ?? {};
      await this.#liftSequence(merchant, own, before, !oldTable);
      await this.#liftLog(merchant, own, before);
    });
    return {
      merchants: merchants.size,
      customers: this.#customers,
      raised: this.#raised,
      erased: this.#erased.toSorted((a, b) =>
        a.merchant === b.merchant ? a.id - b.id : a.merchant < b.merchant ? -1 : 1,
      ),
      erasedAgain: this.#erasedAgain,
      kept: this.#kept,
    };
  }

  async #readOld(name: string): Promise<OldTable> {
    const ends = new Map<string, Ends>();
    const deletions = new Map<string, number>();
    const sinceMs = this.#options.restored.contentMs - CLOCK_SKEW_MS;
    const query = {
      TableName: name,
      FilterExpression: 'NOT begins_with(sk, :customer)',
      ExpressionAttributeValues: { ':customer': CUSTOMER_PREFIX },
      ProjectionExpression: 'pk, sk, lastId, lastDate, nextChange, marks, changedIds, recordedAt',
    };
    await this.#scan(query, async (items) => {
      for (const item of items) {
        addEnds(ends, item);
        const { changedIds, recordedAt } = item;
        if (typeof changedIds !== 'string' || Number(recordedAt) < sinceMs) continue;
        for (const { kind, id } of parseChanges(changedIds)) {
          if (kind !== 'R') continue;
          deletions.set(nameOf({ merchant: merchantOf(item), id }), Number(recordedAt));
        }
      }
    });
    return { name, ends, deletions };
  }

  /** Calls `work` with each page of a consistent scan. */
  async #scan(input: ScanCommandInput, work: (items: Item[]) => Promise<void>): Promise<void> {
    const segments = Array.from({ length: SEGMENTS }, (_, index) => index);
    await mapConcurrently(segments, SEGMENTS, async (Segment) => {
      let ExclusiveStartKey: ScanCommandInput['ExclusiveStartKey'];
      do {
        const { Items = [], LastEvaluatedKey } = await this.#documents.send(
          new ScanCommand({
            ...input,
            ConsistentRead: true,
            TotalSegments: SEGMENTS,
            Segment,
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          }),
        );
        await work(Items as Item[]);
        ExclusiveStartKey = LastEvaluatedKey;
      } while (ExclusiveStartKey);
    });
  }

  async #preparePage(items: readonly Item[], old: OldTable | undefined): Promise<void> {
    for (const item of items) addEnds(this.#ends, item);
    const { sk: snapshot } = snapshotKey('');
    const files = items.filter(
      ({ sk }) => JOB_PREFIXES.some((prefix) => sk.startsWith(prefix)) || sk === snapshot,
    );
    await mapConcurrently(files, CONCURRENCY, ({ pk, sk }) => this.#delete({ pk, sk }));
    const customers = Map.groupBy(
      items.filter((item) => customerInKey(item)),
      merchantOf,
    );
    await mapConcurrently(customers, CONCURRENT_MERCHANTS, async ([merchant, ofMerchant]) => {
      const inOld = old && (await this.#idsInOld(old.name, merchant, ofMerchant));
      await mapConcurrently(ofMerchant, CONCURRENCY, (item) =>
        this.#prepareCustomer(merchant, item, old, inOld),
      );
    });
  }

  /** Returns which customers the old table has, in the range of ids of a page. */
  async #idsInOld(table: string, merchant: string, items: readonly Item[]): Promise<Set<number>> {
    const own = items.map(({ sk }) => idInSortKey(sk));
    const [from, to] = [Math.min(...own), Math.max(...own)];
    const ids = new Set<number>();
    let ExclusiveStartKey: ScanCommandInput['ExclusiveStartKey'];
    const { KeyConditionExpression } = customersIn(merchant, { from, to });
    do {
      const { Items = [], LastEvaluatedKey } = await this.#documents.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression,
          ExpressionAttributeValues: {
            ':pk': customerKey(merchant, from).pk,
            ':from': customerKey(merchant, from).sk,
            ':to': customerKey(merchant, to).sk,
          },
          ProjectionExpression: 'sk',
          ConsistentRead: true,
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      );
      for (const { sk } of Items) ids.add(idInSortKey(sk));
      ExclusiveStartKey = LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return ids;
  }

  async #prepareCustomer(
    merchant: string,
    item: Item,
    old: OldTable | undefined,
    inOld: ReadonlySet<number> | undefined,
  ): Promise<void> {
    const id = idInSortKey(item.sk);
    const name = nameOf({ merchant, id });
    const isToErase = this.#toErase.has(name);
    const isErased = inOld ? !inOld.has(id) : isToErase;
    if (isErased) {
      const deletedMs = old?.deletions.get(name);
      const deleted = deletedMs === undefined ? undefined : new Date(deletedMs).toISOString();
      this.#erased.push({ merchant, id, deleted });
      if (isToErase) {
        // First, as a repeat does not find the customer.
        await this.#releaseClaim(merchant, id, item);
        await this.#delete(customerKey(merchant, id));
        this.#erasedAgain += 1;
        return;
      }
    } else if (isToErase) {
      this.#kept.push({ merchant, id });
    }
    this.#customers += 1;
    if (!this.#options.keepVersions) await this.#raiseVersion(merchant, id, item.version as number);
  }

  async #delete(Key: { readonly pk: string; readonly sk: string }): Promise<void> {
    await this.#documents.send(new DeleteCommand({ TableName: this.#options.restored.name, Key }));
  }

  /** Deletes the claim of a customer, as a deletion through the API does. */
  async #releaseClaim(merchant: string, id: number, item: Item): Promise<void> {
    const { [CLAIMED]: claimed, customerid = '' } = item;
    if (claimed === undefined) return;
    const form = claimed === true ? customeridForm(customerid as string) : (claimed as string);
    await conditionHolds(
      this.#documents.send(
        new DeleteCommand({
          TableName: this.#options.restored.name,
          Key: claimKey(merchant, form),
          ConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': CLAIM_OWNER },
          ExpressionAttributeValues: { ':owner': id },
        }),
      ),
    );
  }

  /**
   * Raises a version to the range of the epoch, which is above those of earlier epochs. A version in
   * that range was raised before.
   */
  async #raiseVersion(merchant: string, id: number, version: number): Promise<void> {
    const floor = this.#options.epoch * MARGIN;
    if (version >= floor) return;
    const isRaised = await conditionHolds(
      this.#documents.send(
        new UpdateCommand({
          TableName: this.#options.restored.name,
          Key: customerKey(merchant, id),
          UpdateExpression: 'SET version = :raised',
          // A retry whose first response was lost fails this condition.
          ConditionExpression: 'version = :version',
          ExpressionAttributeValues: {
            ':version': version,
            ':raised': floor + (version % MARGIN),
          },
        }),
      ),
    );
    if (isRaised) this.#raised += 1;
  }

  /**
   * Lets a merchant's ids continue after the last one of both tables. Its time is then later than the
   * creation of the restored table, by which a repeat knows that it is done.
   */
  async #liftSequence(merchant: string, own: Ends, before: Ends, isGone: boolean): Promise<void> {
    const { createdMs, name } = this.#options.restored;
    if (own.lastDate && Date.parse(own.lastDate) > createdMs) return;
    const lastId = Math.max(own.lastId ?? 0, before.lastId ?? 0) + (isGone ? MARGIN : 0);
    if (lastId === 0) return;
    const lastDate = [new Date(this.#nowMs()).toISOString(), before.lastDate ?? ''].toSorted();
    await conditionHolds(
      this.#documents.send(
        new UpdateCommand({
          TableName: name,
          Key: sequenceKey(merchant),
          UpdateExpression: 'SET lastId = :lastId, lastDate = :lastDate',
          ConditionExpression: 'attribute_not_exists(lastId) OR lastId = :own',
          ExpressionAttributeValues: {
            ':lastId': lastId,
            ':lastDate': lastDate.at(-1),
            ':own': own.lastId ?? 0,
          },
        }),
      ),
    );
  }

  /**
   * Lets a merchant's change log continue {@link MARGIN} after the end of both tables' logs. So no
   * number of the new epoch was given before, and whatever the backup has of the old log's end, which
   * may have gaps, is before it. The one mark tells a repeat that it is done.
   */
  async #liftLog(merchant: string, own: Ends, before: Ends): Promise<void> {
    const { createdMs, name } = this.#options.restored;
    if ((own.markedMs ?? 0) > createdMs) return;
    const next = Math.max(own.nextChange ?? 0, before.nextChange ?? 0);
    if (next === 0) return;
    await conditionHolds(
      this.#documents.send(
        new UpdateCommand({
          TableName: name,
          Key: changeLogHeadKey(merchant),
          UpdateExpression: 'SET nextChange = :next, marks = :marks',
          ConditionExpression: 'attribute_not_exists(nextChange) OR nextChange = :own',
          ExpressionAttributeValues: {
            ':next': next + MARGIN,
            ':marks': [[next + MARGIN, this.#nowMs()]],
            ':own': own.nextChange ?? 0,
          },
        }),
      ),
    );
  }

  /** Returns the current time, or one after the creation of the table if this clock is behind. */
  #nowMs(): number {
    return Math.max(Date.now(), this.#options.restored.createdMs + 1_000);
  }
}

/** Adds what an item says of a merchant's ids or change log. */
function addEnds(ends: Map<string, Ends>, item: Item): void {
  const merchant = merchantOf(item);
  const isSequence = item.sk === sequenceKey(merchant).sk;
  if (!isSequence && item.sk !== changeLogHeadKey(merchant).sk) return;
  const { lastId, lastDate, nextChange, marks } = item;
  const markedMs = (marks as [number, number][] | undefined)?.at(-1)?.[1];
  const added = isSequence ? { lastId, lastDate } : { nextChange, markedMs };
  ends.set(merchant, { ...ends.get(merchant), ...(added as Ends) });
}

function merchantOf({ pk }: Item): string {
  return pk.slice(PARTITION_PREFIX.length);
}

/** Returns a text by which a customer is found in a set. Ids have no `#`. */
function nameOf({ merchant, id }: CustomerId): string {
  return `${id}#${merchant}`;
}
