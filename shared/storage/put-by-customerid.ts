import { setTimeout } from 'node:timers/promises';
import { type Customer, type CustomerFields, hasSameFields } from '../domain/customer.ts';
import {
  CustomerExistsError,
  DuplicateCustomeridError,
  NoCustomerToMatchError,
  UnavailableError,
  VersionMismatchError,
} from '../domain/errors.ts';
import { customeridForm } from '../domain/look-up-forms.ts';
import { claimOwner, claimPut } from './claims.ts';
import { customerPut, newCustomer, type References } from './create-customer.ts';
import { customersWithForm, hasForm } from './customers-with-form.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer } from './read-customer.ts';
import { customerKey } from './table.ts';
import { changedPut, nextVersion, writeChanged } from './update-customer.ts';
import { type TransactionItem, writeTogether } from './write-together.ts';

/** Writers of one customer at a time are few: each attempt of all of them succeeds for one. */
const MAX_ATTEMPTS = 60;
const MAX_BACKOFF_MS = 100;

/** What the caller expects of the customer. */
export interface Expectations {
  /** Whether no customer may have the customerid (`If-None-Match: *`). */
  readonly isNew: boolean;
  /** Whether a version may be replaced; a customer must have the customerid then (`If-Match`). */
  readonly isExpected?: ((version: number) => boolean) | undefined;
}

/** A customer that was created or replaced. */
export interface PutCustomer {
  readonly customer: Customer;
  readonly isCreated: boolean;
}

/**
 * Creates the customer with a customerid, or replaces all of its fields. Writes nothing if nothing
 * changes.
 *
 * Claims make sure that requests at the same time create one customer; see `claims.ts`. A customer that
 * was created otherwise is found by the index of customerids, and then claimed.
 *
 * @param fields with the customerid.
 * @throws DuplicateCustomeridError if several customers have the customerid and none has claimed it.
 * @throws CustomerExistsError, NoCustomerToMatchError or VersionMismatchError if it is not as expected.
 * @throws WriteConflictError if other writers wrote before the outcome was known.
 */
export async function putByCustomerid(
  merchantId: string,
  fields: CustomerFields,
  references: References,
  expected: Expectations,
): Promise<PutCustomer> {
  const form = customeridForm(fields.customerid ?? '');
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const owner = await claimOwner(merchantId, form);
    const claimant = owner === undefined ? undefined : await getCustomer(merchantId, owner);
    const done = hasForm(claimant, 'customerid', form)
      ? await replace(merchantId, claimant, fields, expected)
      : await claim(merchantId, { owner, claimant, form, fields, references, expected });
    if (done) return done;
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new UnavailableError('The customer is being changed by many at once.');
}

/** Replaces the fields of the owner; undefined if another writer was first. */
async function replace(
  merchantId: string,
  current: Customer,
  fields: CustomerFields,
  expected: Expectations,
): Promise<PutCustomer | undefined> {
  check(current, expected);
  if (current.claimed === true) {
    if (hasSameFields(fields, current.fields)) return { customer: current, isCreated: false };
    const customer = await writeChanged(merchantId, nextVersion(current, fields));
    return customer && { customer, isCreated: false };
  }
  // It had another customerid for a while, in which another customer may have taken the claim over.
  const customer: Customer = { ...nextVersion(current, fields), claimed: true };
  const { mexcParamvaluesetsid: id } = customer.system;
  const form = customeridForm(fields.customerid ?? '');
  const isWritten = await writeTogether([
    { Put: changedPut(merchantId, customer) },
    { Put: claimPut(merchantId, form, id, id) },
  ]);
  return isWritten ? { customer, isCreated: false } : undefined;
}

/** A customerid that no customer has claimed, or whose claim is stale. */
interface Unclaimed {
  readonly form: string;
  /** Owner of a stale claim, and the customer if it exists. */
  readonly owner: number | undefined;
  readonly claimant: Customer | undefined;
  readonly fields: CustomerFields;
  readonly references: References;
  readonly expected: Expectations;
}

/** Claims the one customer that has the customerid, or a new one; undefined if another was first. */
async function claim(
  merchantId: string,
  { form, owner, claimant, fields, references, expected }: Unclaimed,
): Promise<PutCustomer | undefined> {
  const [existing, ...others] = await customersWithForm(merchantId, 'customerid', form);
  if (existing && others.length > 0) {
    const ids = [existing, ...others].map(({ system }) => system.mexcParamvaluesetsid);
    throw new DuplicateCustomeridError(ids);
  }
  if (existing) check(existing, expected);
  else if (expected.isExpected) throw new NoCustomerToMatchError();
  const next = existing
    ? nextVersion(existing, fields)
    : await newCustomer(merchantId, fields, references);
  const customer: Customer = { ...next, claimed: true };
  const { mexcParamvaluesetsid: id } = customer.system;
  // The owner has got the customerid back meanwhile.
  if (id === owner) return undefined;
  const isWritten = await writeTogether([
    existing ? { Put: changedPut(merchantId, customer) } : customerPut(merchantId, customer),
    { Put: claimPut(merchantId, form, id, owner) },
    ...(claimant ? [unchanged(merchantId, claimant)] : []),
  ]);
  return isWritten ? { customer, isCreated: !existing } : undefined;
}

/**
 * Returns the condition that a customer has not been changed. Without it the owner of a stale claim could
 * get the customerid back, and another request replace it, before this one takes the claim over.
 */
export function unchanged(merchantId: string, { system, version }: Customer): TransactionItem {
  return {
    ConditionCheck: {
      TableName: TABLE_NAME,
      Key: customerKey(merchantId, system.mexcParamvaluesetsid),
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': version },
    },
  };
}

function check(current: Customer, { isNew, isExpected }: Expectations): void {
  const { mexcParamvaluesetsid: id } = current.system;
  if (isNew) throw new CustomerExistsError(id);
  if (isExpected && !isExpected(current.version)) throw new VersionMismatchError(id);
}
