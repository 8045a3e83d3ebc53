import { setTimeout } from 'node:timers/promises';
import { retryWhileThrottled } from '../aws-errors.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Customer, SystemFields } from '../domain/customer.ts';
import { UnavailableError } from '../domain/errors.ts';
import type { AppliedRow, PlannedRow } from '../domain/import.ts';
import { lookUpForm } from '../domain/look-up-forms.ts';
import { claimOwner, claimPut } from '../storage/claims.ts';
import { customerPut, nextIds, type References, unstored } from '../storage/create-customer.ts';
import { customersWithForm, hasForm } from '../storage/customers-with-form.ts';
import { type DecidedRows, decidedRowsPut, findDecidedRows } from '../storage/import-records.ts';
import { importMark, marked } from '../storage/marked-customers.ts';
import { unchanged } from '../storage/put-by-customerid.ts';
import { getCustomer } from '../storage/read-customer.ts';
import { type TransactionItem, writeTogether } from '../storage/write-together.ts';
import { writeUnits } from './pace.ts';
import type { Step } from './step.ts';

/**
 * Rows of a transaction, of whose 100 items each row takes up to three. All runs of a step must have
 * the same chunks, so that these limits compare rows alone.
 */
const MAX_CHUNK = 25;
/** Bytes of a transaction's rows, as JSON: DynamoDB consumes two units for each 1,024 bytes. */
const MAX_CHUNK_BYTES = 100_000;
/** Transactions under way at a time, and concurrent look-ups of each. */
const CONCURRENT_CHUNKS = 3;
const CONCURRENT_LOOK_UPS = 8;
/** Attempts to write a chunk, each after others have written a customer or a claim of it. */
const MAX_ATTEMPTS = 20;
const MAX_BACKOFF_MS = 100;

/** A planned row whose customer is created. */
type Creation = Extract<PlannedRow, { readonly outcome: 'create' }>;
type Chunk = readonly [Creation, ...Creation[]];

/** A row that no customer has the key of. */
interface Unowned {
  readonly creation: Creation;
  /** The form of the customerid that is its key, and the claim that is stale. */
  readonly claim?: { readonly form: string } & StaleClaim;
}

interface StaleClaim {
  readonly owner: number | undefined;
  readonly claimant: Customer | undefined;
}

/**
 * Creates the customers of rows, in this run of a step or in an earlier one, unless a customer has a
 * row's key by now.
 *
 * The customers are stored in chunks. Each is a transaction, with a record of what becomes of its
 * rows, on the condition that there is none: no other run, and no write that lands late, creates a row's
 * customer again, also if that was deleted meanwhile. Customers whose key is a customerid claim it as
 * `PUT` does.
 */
export async function createRows(
  step: Step,
  creations: readonly Creation[],
  references: References,
): Promise<AppliedRow[]> {
  const { merchantId, importId } = step;
  const { unique, repeated } = byKey(creations);
  const chunks = inChunks(unique);
  const recorded = await mapConcurrently(chunks, CONCURRENT_CHUNKS, async ([{ row }]) =>
    step.isFirstRun
      ? undefined
      : await retryWhileThrottled(() => findDecidedRows(merchantId, importId, row)),
  );
  const undecided = chunks.filter((_, index) => !recorded[index]);
  const count = undecided.flat().length;
  const ids = count > 0 ? await retryWhileThrottled(() => nextIds(merchantId, count)) : undefined;
  let used = 0;
  const systems = chunks.map((chunk, index): SystemFields | undefined => {
    if (recorded[index] || !ids) return undefined;
    const mexcParamvaluesetsid = ids.mexcParamvaluesetsid + used;
    used += chunk.length;
    return { ...ids, mexcParamvaluesetsid, ...references };
  });
  const decided = await mapConcurrently(chunks, CONCURRENT_CHUNKS, async (chunk, index) => {
    const system = systems[index];
    const rows = system
      ? await retryWhileThrottled(() => createChunk(step, chunk, system))
      : (recorded[index] as DecidedRows);
    return chunk.map((creation) => resultOf(creation, rows));
  });
  return [
    ...decided.flat(),
    ...repeated.map(({ row }): AppliedRow => ({ row, result: 'changedMeanwhile' })),
  ];
}

/** Separates rows whose key another row before them has: of these one is created. */
function byKey(creations: readonly Creation[]) {
  const keys = new Set<string>();
  const unique: Creation[] = [];
  const repeated: Creation[] = [];
  for (const creation of creations) {
    const form = formOf(creation);
    const key = `${creation.key?.field} ${form}`;
    if (form && keys.has(key)) repeated.push(creation);
    else unique.push(creation);
    keys.add(key);
  }
  return { unique, repeated };
}

/** Returns the form of a row's key; empty if it has none. */
function formOf({ key }: Creation): string {
  return key ? lookUpForm(key.field, key.value) : '';
}

function inChunks(creations: readonly Creation[]): Chunk[] {
  const chunks: [Creation, ...Creation[]][] = [];
  let bytes = 0;
  for (const creation of creations) {
    const rowBytes = Buffer.byteLength(JSON.stringify(creation.fields));
    const chunk = chunks.at(-1);
    if (!chunk || chunk.length === MAX_CHUNK || bytes + rowBytes > MAX_CHUNK_BYTES) {
      chunks.push([creation]);
      bytes = rowBytes;
    } else {
      chunk.push(creation);
      bytes += rowBytes;
    }
  }
  return chunks;
}

/** Creates customers, the first of which gets this id, and returns what is recorded of their rows. */
async function createChunk(step: Step, chunk: Chunk, system: SystemFields): Promise<DecidedRows> {
  const { merchantId, importId } = step;
  const [{ row: firstRow }] = chunk;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const existing: Record<number, number> = {};
    const created: Record<number, number> = {};
    const items: TransactionItem[] = [];
    // A claim is rare, and the first transaction fails if there is one.
    const look = (creation: Creation) => findOwner(merchantId, creation, attempt > 0);
    const found = await mapConcurrently(chunk, CONCURRENT_LOOK_UPS, look);
    found.forEach((outcome, index) => {
      const { row } = chunk[index] as Creation;
      if (typeof outcome === 'number') {
        existing[row] = outcome;
        return;
      }
      const id = system.mexcParamvaluesetsid + index;
      created[row] = id;
      items.push(...writesOf(step, outcome, { ...system, mexcParamvaluesetsid: id }));
    });
    const rows = { created, existing };
    items.push(decidedRowsPut(merchantId, importId, firstRow, rows));
    await step.pace(2 * items.reduce((units, item) => units + writeUnits(item.Put?.Item ?? 0), 0));
    if (await writeTogether(items)) return rows;
    const recorded = await findDecidedRows(merchantId, importId, firstRow);
    if (recorded) return recorded;
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError();
}

/** Returns the id of a customer that has a row's key, or that there is none. */
async function findOwner(
  merchantId: string,
  creation: Creation,
  readsClaims: boolean,
): Promise<number | Unowned> {
  const form = formOf(creation);
  const field = creation.key?.field;
  if (!form || !field) return { creation };
  let stale: StaleClaim = { owner: undefined, claimant: undefined };
  if (field === 'customerid' && readsClaims) {
    const owner = await claimOwner(merchantId, form);
    const claimant = owner === undefined ? undefined : await getCustomer(merchantId, owner);
    if (owner !== undefined && hasForm(claimant, field, form)) return owner;
    stale = { owner, claimant };
  }
  const [customer] = await customersWithForm(merchantId, field, form);
  if (customer) return customer.system.mexcParamvaluesetsid;
  return field === 'customerid' ? { creation, claim: { form, ...stale } } : { creation };
}

function writesOf(
  { merchantId, importId }: Step,
  { creation: { row, fields }, claim }: Unowned,
  system: SystemFields,
): TransactionItem[] {
  const customer = unstored(system, fields);
  const mark = importMark(importId, row, 'APPLY');
  const put = (customer: Customer) => ({
    Put: marked(customerPut(merchantId, customer).Put, mark),
  });
  if (!claim) return [put(customer)];
  const { form, owner, claimant } = claim;
  return [
    put({ ...customer, claimed: true }),
    { Put: claimPut(merchantId, form, system.mexcParamvaluesetsid, owner) },
    ...(claimant ? [unchanged(merchantId, claimant)] : []),
  ];
}

function resultOf({ row, key }: Creation, { created, existing }: DecidedRows): AppliedRow {
  const id = created[row];
  if (id === undefined) return { row, result: 'changedMeanwhile', id: existing[row] };
  const customerid = key?.field === 'customerid' ? key.value : undefined;
  return { row, result: 'created', id, ...(customerid !== undefined && { customerid }) };
}
