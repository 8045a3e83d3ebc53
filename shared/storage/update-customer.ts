import { setTimeout } from 'node:timers/promises';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  applyChanges,
  type Customer,
  type CustomerFields,
  hasSameFields,
} from '../domain/customer.ts';
import {
  CustomerNotFoundError,
  VersionMismatchError,
  WriteConflictError,
} from '../domain/errors.ts';
import { customeridForm } from '../domain/look-up-forms.ts';
import { toItem } from './customer-item.ts';
import { TABLE_NAME } from './dynamodb.ts';
import { getCustomer } from './read-customer.ts';
import { writeConditionally } from './write-conditionally.ts';

/** Concurrent writers of one customer are rare, so that this many attempts are plenty. */
const MAX_UPDATE_ATTEMPTS = 20;
const MAX_BACKOFF_MS = 100;

/**
 * Changes the given fields and leaves the others as they are. Writes nothing if nothing changes.
 * Concurrent changes of different fields all survive: a write is conditional on the version that
 * was read, and is repeated from the read otherwise.
 *
 * @param isExpected whether the version may be changed (`If-Match`).
 * @throws CustomerNotFoundError
 * @throws VersionMismatchError if the version is not expected.
 * @throws WriteConflictError if other writers won each attempt, or wrote before the outcome of
 * this change was known.
 */
export async function updateCustomer(
  merchantId: string,
  id: number,
  changes: CustomerFields,
  isExpected: (version: number) => boolean,
): Promise<Customer> {
  for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt += 1) {
    const current = await getCustomer(merchantId, id);
    if (!current) throw new CustomerNotFoundError(id);
    if (!isExpected(current.version)) throw new VersionMismatchError(id);
    const fields = applyChanges(current.fields, changes);
    if (hasSameFields(fields, current.fields)) return current;
    const changed = await writeChanged(merchantId, nextVersion(current, fields));
    if (changed) return changed;
    await setTimeout(Math.random() * MAX_BACKOFF_MS);
  }
  throw new WriteConflictError(id);
}

/** Returns a customer with other fields, as it is to be written. */
export function nextVersion(current: Customer, fields: CustomerFields): Customer {
  const form = customeridForm(current.fields.customerid ?? '');
  const isRenamed = form !== customeridForm(fields.customerid ?? '');
  return {
    ...current,
    fields,
    version: current.version + 1,
    updated: nowOrLater(current.updated),
    // Another customer may claim the customerid from now on, also if this one gets it back.
    claimed: current.claimed === true && isRenamed ? form : current.claimed,
  };
}

/**
 * Writes the next version of a customer.
 *
 * @returns undefined if another writer was first.
 * @throws WriteConflictError if another wrote before the outcome of this write was known.
 */
export async function writeChanged(
  merchantId: string,
  changed: Customer,
): Promise<Customer | undefined> {
  const { mexcParamvaluesetsid: id } = changed.system;
  const outcome = await writeConditionally(new PutCommand(changedPut(merchantId, changed)));
  if (outcome === 'done') return changed;
  if (outcome === 'indeterminate') {
    const found = await getCustomer(merchantId, id);
    if (found?.version === changed.version && hasSameFields(found.fields, changed.fields)) {
      return changed;
    }
    // A repeated write could undo what another writer has written since.
    if (!found || found.version > changed.version) throw new WriteConflictError(id);
  }
  return undefined;
}

/** Returns the write of a customer's next version. Its condition fails if another was first. */
export function changedPut(merchantId: string, changed: Customer) {
  return {
    TableName: TABLE_NAME,
    Item: toItem(merchantId, changed),
    ConditionExpression: 'version = :version',
    ExpressionAttributeValues: { ':version': changed.version - 1 },
  };
}

/** Returns the current time, or that of another function whose clock is ahead. ISO 8601. */
function nowOrLater(time: string): string {
  const now = new Date().toISOString();
  return now > time ? now : time;
}
