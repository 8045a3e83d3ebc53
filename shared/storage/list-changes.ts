import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { mapAhead } from '../concurrency.ts';
import type { ChangeKind, LogPosition } from '../domain/changes.ts';
import { ChangesExpiredError } from '../domain/errors.ts';
import { MAX_RESPONSE_BYTES } from '../domain/limits.ts';
import { requiredNumber } from '../environment.ts';
import { escapedBytes } from '../formats/json.ts';
import type { RowFormat } from '../formats/row-format.ts';
import { readHead } from './change-log.ts';
import { dynamodb, TABLE_NAME } from './dynamodb.ts';
import { contiguousChanges, type ReadChange } from './log-entries.ts';
import { rowsByIds } from './rows-by-ids.ts';
import { changeLogEntries } from './table.ts';

const RETENTION_MS = requiredNumber('changesDays') * 24 * 60 * 60 * 1_000;
/** Age of a position from which on an empty page is compared with the end of the log. */
const OLD_MS = 24 * 60 * 60 * 1_000;
/** Reads that may see an entry and not the one before it: a query is no snapshot. */
const MAX_READS = 3;
/** Customers that are read together, and concurrent reads. */
const CHUNK = 100;
const CONCURRENT_READS = 4;
/** About what the members around a customer take in the response. */
const CHANGE_BYTES = 150;

/** What happened to a customer, once for all its changes in a page. */
export interface Change {
  readonly kind: ChangeKind;
  readonly id: number;
  /** When the last of the changes was recorded, in milliseconds since 1970. */
  readonly atMs: number;
  /** The customer as it is now, serialized; undefined if it is deleted, or was not asked for. */
  readonly row: string | undefined;
}

/** A page of changes, in the order of each customer's last change. */
export interface ChangesPage {
  readonly changes: readonly Change[];
  /** Position after the page. */
  readonly next: LogPosition;
  /** Whether more changes follow already. */
  readonly more: boolean;
}

/** All changes of a customer in a page. */
interface ChangedCustomer {
  readonly isCreated: boolean;
  readonly last: ReadChange;
}

/**
 * Returns what changed after a position. Customers are read consistently, so that a change says what
 * is: `deleted` if the customer does not exist, else `created` if its creation is in the page. Without
 * a format it says what was logged.
 *
 * @param limit maximum changes to read from the log. A page has fewer if a customer changed more than
 * once, or if the customers would not fit into a response.
 * @throws ChangesExpiredError if changes after the position may have been deleted.
 */
export async function listChanges(
  merchantId: string,
  position: LogPosition,
  limit: number,
  format: RowFormat | undefined,
): Promise<ChangesPage> {
  // One more than the limit shows whether more follow.
  const read = await readChanges(merchantId, position, limit + 1);
  const pageChanges = read.slice(0, limit);
  const customers = byLastChange(pageChanges);
  const changes: Change[] = [];
  let bytes = 0;
  for await (const chunk of withRows(merchantId, customers, format)) {
    for (const { customer, row } of chunk) {
      bytes += CHANGE_BYTES + (row ? escapedBytes(row) : 0);
      // DynamoDB's limit of 400 kB leaves room for some customers on each page.
      if (bytes > MAX_RESPONSE_BYTES) {
        return { changes, next: positionAt(customer.last), more: true };
      }
      const { id, atMs } = customer.last;
      changes.push({ kind: kindOf(customer, row, format), id, atMs, row: row?.toString() });
    }
  }
  const following = read[limit];
  if (following) return { changes, next: positionAt(following), more: true };
  return { changes, next: endOf(position, pageChanges), more: false };
}

/** Returns changes from a position on, without a gap, read consistently. */
async function readChanges(
  merchantId: string,
  { entry, index, sinceMs }: LogPosition,
  count: number,
): Promise<ReadChange[]> {
  if (sinceMs < Date.now() - RETENTION_MS) throw new ChangesExpiredError();
  for (let attempt = 0; attempt < MAX_READS; attempt += 1) {
    const { Items = [] } = await dynamodb.send(
      new QueryCommand({
        TableName: TABLE_NAME,
        ...changeLogEntries(merchantId, { from: entry, to: entry + index + count - 1 }),
        ConsistentRead: true,
      }),
    );
    const changes = contiguousChanges(Items, entry).slice(index, index + count);
    if (changes.length > 0) return changes;
    const isAtEnd = Items.length === 0 && index === 0 && (await endsAt(merchantId, entry, sinceMs));
    if (isAtEnd) return changes;
  }
  throw new ChangesExpiredError();
}

/** Returns whether the log ends at an entry, of which a query found none. */
async function endsAt(merchantId: string, entry: number, sinceMs: number): Promise<boolean> {
  if (sinceMs > Date.now() - OLD_MS) return true;
  // Entries may have expired by a retention that was shorter than that of now.
  return (await readHead(merchantId, true)).nextChange <= entry;
}

/** Returns each customer once, in the order of their last changes. */
function byLastChange(changes: readonly ReadChange[]): ChangedCustomer[] {
  const customers = new Map<number, ChangedCustomer>();
  for (const last of changes) {
    const isCreated = last.kind === 'I' || customers.get(last.id)?.isCreated === true;
    // A map keeps the order in which its keys were first set.
    customers.delete(last.id);
    customers.set(last.id, { isCreated, last });
  }
  return [...customers.values()];
}

/** Yields the customers with their rows, some at a time, in order. */
async function* withRows(
  merchantId: string,
  customers: readonly ChangedCustomer[],
  format: RowFormat | undefined,
) {
  const chunks = Array.from({ length: Math.ceil(customers.length / CHUNK) }, (_, index) =>
    customers.slice(index * CHUNK, (index + 1) * CHUNK),
  );
  yield* mapAhead(chunks, CONCURRENT_READS, async (chunk) => {
    const rows = format
      ? await readRows(
          merchantId,
          chunk.map(({ last }) => last.id),
          format,
        )
      : undefined;
    return chunk.map((customer) => ({ customer, row: rows?.get(customer.last.id) }));
  });
}

async function readRows(
  merchantId: string,
  ids: readonly number[],
  format: RowFormat,
): Promise<ReadonlyMap<number, Buffer>> {
  const found = new Map<number, Buffer>();
  const ascending = ids.toSorted((a, b) => a - b);
  for await (const { rows } of rowsByIds([ascending], { merchantId, format, isConsistent: true })) {
    for (const [index, id] of rows.ids.entries()) {
      found.set(id, rows.text.subarray(rows.ends[index - 1] ?? 0, rows.ends[index]));
    }
  }
  return found;
}

function kindOf(
  { isCreated, last }: ChangedCustomer,
  row: Buffer | undefined,
  format: RowFormat | undefined,
): ChangeKind {
  const isDeleted = format ? row === undefined : last.kind === 'R';
  if (isDeleted) return 'deleted';
  return isCreated ? 'created' : 'updated';
}

/** Returns the position before a change. */
function positionAt({ entry, index, atMs }: ReadChange): LogPosition {
  return { entry, index, sinceMs: atMs };
}

/** Returns the position at the end of the log, after the changes that were read. */
function endOf({ entry }: LogPosition, changes: readonly ReadChange[]): LogPosition {
  const last = changes.at(-1);
  return { entry: last ? last.entry + last.index + 1 : entry, index: 0, sinceMs: Date.now() };
}
