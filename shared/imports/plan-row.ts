import { applyChanges, type Customer, type CustomerFields } from '../domain/customer.ts';
import type { WritableFieldName } from '../domain/fields.ts';
import type {
  FieldChange,
  FileRow,
  ImportOptions,
  MatchField,
  PlannedRow,
} from '../domain/import.ts';
import { MAX_NAMED } from './key-table.ts';
import type { RowMatch, RowMatches } from './match-rows.ts';
import { keyOf, keyWithZeros, withoutZeros } from './row-keys.ts';

/** Customers by id, as they are; absent ones do not exist. */
export type KnownCustomers = ReadonlyMap<number, Customer>;

/**
 * Decides what becomes of a row. Of rows that name one customer none is applied: which of them is
 * right is for their sender to say.
 */
export function planRow(
  row: FileRow,
  matches: RowMatches,
  customers: KnownCustomers,
  options: ImportOptions,
): PlannedRow {
  const number = { row: row.row };
  if (row.faults.length > 0) return { ...number, outcome: 'invalid', errors: row.faults };
  const [first, ...others] = matches.keys.map((key) => ({
    ...key,
    customers: key.customers.filter((id) => hasKey(customers.get(id), key)),
  }));
  if (!first) return { ...number, ...planWithoutKey(row, options) };
  const [id, ...more] = first.customers;
  const named = nameOf(first);
  if (more.length > 0) {
    return ambiguous(
      'severalCustomers',
      `${customersOf(first.customers)} have ${named}`,
      first.customers,
    );
  }
  const contradiction = others.find(
    (key) => key.customers.length > 0 && (id === undefined || !key.customers.includes(id)),
  );
  if (contradiction) {
    const by = id === undefined ? `no customer has ${named}` : `${named} names customer ${id}`;
    return ambiguous(
      'keysDisagree',
      `${by}, but ${nameOf(contradiction)} names ${customersOf(contradiction.customers)}`,
      [...first.customers, ...contradiction.customers],
    );
  }
  const rows = id === undefined ? matches.sameKey : matches.sameCustomer;
  if (rows.length > 1) {
    const detail = `rows ${listOf(rows)} name the same customer as ${named} does; keep one of them`;
    return ambiguous('repeated', detail, first.customers);
  }
  if (id !== undefined)
    return { ...number, ...planChange(row, customers.get(id) as Customer, options) };
  const withZeros = matches.withZeros.filter((each) => isWithZeros(customers.get(each), first));
  if (withZeros.length > 0) {
    const own = fieldOf(customers.get(withZeros[0] as number), first.field);
    const detail = `no customer has ${named}, but ${customersOf(withZeros)} has ${own}: a spreadsheet may have dropped zeros`;
    return ambiguous('zerosLost', detail, withZeros);
  }
  return { ...number, ...planCreation(row, first, options) };

  function ambiguous(code: string, detail: string, candidates: readonly number[]): PlannedRow {
    const unique = [...new Set(candidates)];
    return { ...number, outcome: 'ambiguous', code, detail, candidates: unique };
  }
}

/** An outcome without the number of its row. */
type OutcomeOf<P> = P extends { readonly row: number } ? Omit<P, 'row'> : never;
type RowOutcome = OutcomeOf<PlannedRow>;

function planWithoutKey(row: FileRow, { match, unkeyed, mode }: ImportOptions): RowOutcome {
  if (unkeyed === 'create') {
    return mode === 'update'
      ? skipped('noCustomer', 'names no customer, and none is to be created')
      : { outcome: 'create', fields: applyChanges({}, row.fields) };
  }
  const detail = `must have ${match.join(' or ')}, by which its customer is found`;
  return { outcome: 'invalid', errors: [{ code: 'noKey', detail }] };
}

function planCreation(row: FileRow, key: RowMatch, { mode }: ImportOptions): RowOutcome {
  const { field, value } = key;
  if (mode === 'update') return skipped('noCustomer', `no customer has ${nameOf(key)}`);
  if (field === 'mexcParamvaluesetsid') {
    const detail = `no customer has ${nameOf(key)}; leave it empty to create one`;
    return { outcome: 'invalid', errors: [{ field, code: 'noCustomer', detail }] };
  }
  return { outcome: 'create', fields: applyChanges({}, row.fields), key: { field, value } };
}

function planChange(row: FileRow, customer: Customer, { mode, empty }: ImportOptions): RowOutcome {
  const { mexcParamvaluesetsid: id } = customer.system;
  if (mode === 'create') return skipped('customerExists', `customer ${id} exists`);
  const changes = changesOf(customer.fields, row.fields, empty);
  return Object.keys(changes).length === 0
    ? { outcome: 'unchanged', id }
    : { outcome: 'update', id, version: customer.version, changes };
}

function changesOf(
  current: CustomerFields,
  sent: CustomerFields,
  empty: ImportOptions['empty'],
): Partial<Record<WritableFieldName, FieldChange>> {
  const changes: Partial<Record<WritableFieldName, FieldChange>> = {};
  for (const [name, after] of Object.entries(sent) as [WritableFieldName, string][]) {
    const before = current[name] ?? '';
    if (after !== before && (after !== '' || empty === 'clear')) changes[name] = [before, after];
  }
  return changes;
}

function skipped(code: string, detail: string): RowOutcome {
  return { outcome: 'skipped', code, detail };
}

/** An index can lag behind, and entries of a few other keys can be found. */
function hasKey(customer: Customer | undefined, { field, key }: RowMatch): boolean {
  if (!customer || field === 'mexcParamvaluesetsid') return customer !== undefined;
  return keyOf(field, customer.fields[field] ?? '') === key;
}

/** Returns whether a customer has a key but for zeros that a spreadsheet may have dropped from it. */
function isWithZeros(customer: Customer | undefined, { field, value, key }: RowMatch): boolean {
  if (!customer || field === 'mexcParamvaluesetsid') return false;
  const own = keyOf(field, customer.fields[field] ?? '');
  if (own === undefined || own === key) return false;
  return field === 'customerid' ? withoutZeros(own) === key : own === keyWithZeros(value);
}

function fieldOf(customer: Customer | undefined, field: MatchField): string {
  const value = field === 'mexcParamvaluesetsid' ? undefined : customer?.fields[field];
  return `${field} ${value}`;
}

function nameOf({ field, value }: RowMatch): string {
  return `${field} ${value}`;
}

function customersOf(ids: readonly number[]): string {
  return `customer${ids.length > 1 ? 's' : ''} ${listOf(ids)}`;
}

/** Returns a list of numbers in words, of many only the first. */
function listOf(numbers: readonly number[]): string {
  return numbers.length > MAX_NAMED
    ? `${numbers.slice(0, MAX_NAMED).join(', ')} and others`
    : numbers.join(', ').replace(/, (\d+)$/, ' and $1');
}
