import { applyChanges, type Customer, type CustomerFields } from '../domain/customer.ts';
import type { WritableFieldName } from '../domain/fields.ts';
import type {
  FaultParams,
  FieldChange,
  FileRow,
  ImportOptions,
  PlannedRow,
  RowFault,
} from '../domain/import.ts';
import { MAX_NAMED } from './key-table.ts';
import type { RowMatch, RowMatches } from './match-rows.ts';
import { keyOf, keyWithZeros, withoutZeros } from './row-keys.ts';

/** Customers by id, as they are; absent ones do not exist. */
export type KnownCustomers = ReadonlyMap<number, Customer>;

/**
 * Decides what becomes of a row. Of rows that name one customer none is applied, nor of those that give
 * several customers one key: which of them is right is for their sender to say.
 */
export function planRow(
  row: FileRow,
  matches: RowMatches,
  customers: KnownCustomers,
  options: ImportOptions,
): PlannedRow {
  const number = { row: row.row };
  const { faults, doubts = [] } = row;
  if (faults.length > 0) return { ...number, outcome: 'invalid', errors: [...faults, ...doubts] };
  const planned = planValid(row, matches, customers, options);
  const errors = confirmed(doubts, planned);
  return errors.length > 0 ? { ...number, outcome: 'invalid', errors } : { ...number, ...planned };
}

/** Returns the doubts about a row that its customer does not clear up, by having these texts. */
function confirmed(doubts: readonly RowFault[], planned: RowOutcome): readonly RowFault[] {
  if (planned.outcome === 'unchanged') return [];
  if (planned.outcome !== 'update') return doubts;
  return doubts.filter(({ field }) => field !== undefined && field in planned.changes);
}

/** An outcome without the number of its row. */
type OutcomeOf<P> = P extends { readonly row: number } ? Omit<P, 'row'> : never;
type RowOutcome = OutcomeOf<PlannedRow>;

function planValid(
  row: FileRow,
  matches: RowMatches,
  customers: KnownCustomers,
  options: ImportOptions,
): RowOutcome {
  const withCustomers = (key: RowMatch) => ({
    ...key,
    customers: key.customers.filter((id) => hasKey(customers.get(id), key)),
  });
  const [first, ...later] = matches.keys.map(withCustomers);
  if (!first && options.unkeyed === 'invalid') return withoutKey(options);
  const [id, ...more] = first?.customers ?? [];
  if (first && more.length > 0) return severalCustomers(first);
  const customer = id === undefined ? undefined : customers.get(id);
  const isSkipped = options.mode === (customer ? 'create' : 'update');
  const given = !isSkipped && matches.customerid ? [withCustomers(matches.customerid)] : [];
  const others = [...later, ...given];
  // A customer can have a key that so many have that it is not among those found.
  const contradiction = others.find((key) => key.customers.length > 0 && !hasKey(customer, key));
  if (contradiction) return keysDisagree(first, contradiction);
  if (first && matches.sameKey.length > 1) return repeatedKey(first, matches.sameKey);
  if (customer) {
    if (matches.sameCustomer.length > 1) return repeatedCustomer(customer, matches.sameCustomer);
    const change = planChange(row, customer, options);
    const shared = others.find(
      (key) => change.outcome === 'update' && key.rows.length > 1 && !hasKey(customer, key),
    );
    return shared ? repeatedKey(shared, shared.rows) : change;
  }
  const shared = [...(first ? [first] : []), ...others].find((key) => key.rows.length > 1);
  if (shared) return repeatedKey(shared, shared.rows);
  const withZeros = first
    ? matches.withZeros.filter((each) => isWithZeros(customers.get(each), first))
    : [];
  if (first && withZeros.length > 0) return zerosLost(first, withZeros, customers);
  return planCreation(row, first, options);
}

function withoutKey({ match }: ImportOptions): RowOutcome {
  const detail = `must have ${match.join(' or ')}, by which its customer is found`;
  const params = { fields: match.join(', ') };
  return { outcome: 'invalid', errors: [{ code: 'noKey', detail, params }] };
}

function planCreation(
  row: FileRow,
  key: RowMatch | undefined,
  { mode }: ImportOptions,
): RowOutcome {
  const params = key && paramsOf(key);
  if (mode === 'update') {
    const detail = key ? `no customer has ${nameOf(key)}` : 'names no customer';
    return { outcome: 'skipped', code: 'noCustomer', detail, ...(params && { params }) };
  }
  if (!key) return { outcome: 'create', fields: applyChanges({}, row.fields) };
  const { field, value } = key;
  if (field === 'mexcParamvaluesetsid') {
    const detail = `no customer has ${nameOf(key)}; leave it empty to create one`;
    return { outcome: 'invalid', errors: [{ field, code: 'noCustomer', detail, params }] };
  }
  return { outcome: 'create', fields: applyChanges({}, row.fields), key: { field, value } };
}

function planChange(row: FileRow, customer: Customer, { mode, empty }: ImportOptions): RowOutcome {
  const { mexcParamvaluesetsid: id } = customer.system;
  if (mode === 'create') {
    const detail = `customer ${id} exists`;
    return { outcome: 'skipped', code: 'customerExists', detail, params: { customers: id } };
  }
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

function severalCustomers(key: RowMatch): RowOutcome {
  const detail = `${customersOf(key.customers)} have ${nameOf(key)}`;
  return ambiguous('severalCustomers', detail, key.customers, paramsOf(key));
}

/** Of a key that names another customer than the first does, be it that the first names none. */
function keysDisagree(first: RowMatch | undefined, other: RowMatch): RowOutcome {
  const [id] = first?.customers ?? [];
  const own = first ? nameOf(first) : 'the row';
  const says = id === undefined ? `${own} names no customer` : `${own} names customer ${id}`;
  const detail = `${says}, but ${nameOf(other)} names ${customersOf(other.customers)}`;
  return ambiguous('keysDisagree', detail, [...(first?.customers ?? []), ...other.customers], {
    ...(first && paramsOf(first)),
    ...(id !== undefined && { customer: id }),
    otherField: other.field,
    otherValue: other.value.trim(),
    customers: shortList(other.customers),
  });
}

function repeatedKey(key: RowMatch, rows: readonly number[]): RowOutcome {
  const detail = `rows ${listOf(rows)} have ${nameOf(key)}; keep one of them`;
  return ambiguous('repeated', detail, key.customers, { ...paramsOf(key), rows: shortList(rows) });
}

/** Of rows that name a customer by different keys. */
function repeatedCustomer({ system }: Customer, rows: readonly number[]): RowOutcome {
  const { mexcParamvaluesetsid: id } = system;
  const detail = `rows ${listOf(rows)} name customer ${id}; keep one of them`;
  return ambiguous('repeated', detail, [id], { rows: shortList(rows) });
}

function zerosLost(
  key: RowMatch,
  withZeros: readonly number[],
  customers: KnownCustomers,
): RowOutcome {
  const own = customers.get(withZeros[0] as number)?.fields[key.field as 'customerid'];
  const detail = `no customer has ${nameOf(key)}, but ${customersOf(withZeros)} has ${key.field} ${own}: a spreadsheet may have dropped zeros`;
  return ambiguous('zerosLost', detail, withZeros, paramsOf(key));
}

function ambiguous(
  code: string,
  detail: string,
  customers: readonly number[],
  params: FaultParams,
): RowOutcome {
  const candidates = [...new Set(customers)];
  const named = candidates.length > 0 && { customers: shortList(candidates) };
  return { outcome: 'ambiguous', code, detail, candidates, params: { ...named, ...params } };
}

/** Returns a key as a text about it in any language names it. */
function paramsOf({ field, value }: RowMatch): FaultParams {
  return { field, value: value.trim() };
}

/** Returns a list of numbers for a text in any language; of many only the first. */
function shortList(numbers: readonly number[]): string {
  const list = numbers.slice(0, MAX_NAMED).join(', ');
  return numbers.length > MAX_NAMED ? `${list}, …` : list;
}

/** An index can lag behind, and entries of a few other keys can be found. */
function hasKey(customer: Customer | undefined, { field, key }: RowMatch): boolean {
  if (!customer) return false;
  if (field === 'mexcParamvaluesetsid') return String(customer.system[field]) === key;
  return keyOf(field, customer.fields[field] ?? '') === key;
}

/** Returns whether a customer has a key but for zeros that a spreadsheet may have dropped from it. */
function isWithZeros(customer: Customer | undefined, { field, value, key }: RowMatch): boolean {
  if (!customer || field === 'mexcParamvaluesetsid') return false;
  const own = keyOf(field, customer.fields[field] ?? '');
  if (own === undefined || own === key) return false;
  return field === 'customerid' ? withoutZeros(own) === key : own === keyWithZeros(value);
}

function nameOf({ field, value }: RowMatch): string {
  return `${field} ${value.trim()}`;
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
