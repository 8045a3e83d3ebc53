import { mapAhead, mapConcurrently } from '../concurrency.ts';
import type { Customer } from '../domain/customer.ts';
import {
  type CustomerFilter,
  LOOK_UP_NAMES,
  type LookUpName,
  type LookUps,
  meetsFilter,
} from '../domain/customer-filter.ts';
import { lookUpForm, lookUpForms } from '../domain/look-up-forms.ts';
import { toSearchAttributes } from '../domain/search-attributes.ts';
import { plainRow, type RowFormat } from '../formats/row-format.ts';
import { getItems } from './batch-get.ts';
import type { Retry } from './customer-index.ts';
import { findByForm } from './find-by-form.ts';
import { toCustomer } from './read-customer.ts';
import type { Rows } from './serialized-items/index.ts';
import { rawCustomerKey } from './table.ts';

/** Concurrent queries of the indexes, each of half a read unit if it finds little. */
const CONCURRENT_QUERIES = 16;
/** Customers of one BatchGetItem, and concurrent ones if all customers are wanted. */
const BATCH = 100;
const CONCURRENT_BATCHES = 4;

/** Fields that a parameter compares: a mobile telephone is a telephone. */
const FIELDS_OF = {
  customerid: ['customerid'],
  telephone: ['telephone', 'mobile'],
  email: ['email'],
  companyno: ['companyno'],
  vatregno: ['vatregno'],
  glncode: ['glncode'],
} as const satisfies Record<LookUpName, readonly (keyof ReturnType<typeof lookUpForms>)[]>;

const once: Retry = (read) => read();

/**
 * Returns the ids of customers that have the values of a filter, ascending. The indexes follow
 * writes usually within a second, and a few ids can be of customers with other values.
 *
 * @param retry runs one read, and again if it fails. Default: once.
 */
export async function findByLookUps(
  merchantId: string,
  { lookUps = {} }: CustomerFilter,
  retry = once,
): Promise<number[]> {
  const forms = formsOf(lookUps);
  const queries = forms.flatMap(([name, values]) =>
    FIELDS_OF[name].flatMap((field) => [...values].map((form) => ({ name, field, form }))),
  );
  const found = new Map(forms.map(([name]) => [name, new Set<number>()]));
  await mapConcurrently(queries, CONCURRENT_QUERIES, async ({ name, field, form }) => {
    for (const id of await findByForm(merchantId, field, form, retry)) found.get(name)?.add(id);
  });
  const [first = new Set<number>(), ...others] = [...found.values()].sort(
    (a, b) => a.size - b.size,
  );
  return [...first].filter((id) => others.every((ids) => ids.has(id))).sort((a, b) => a - b);
}

/** Customers that were read together. */
interface LookedUp {
  /** Those that meet the filter. */
  readonly customers: readonly Customer[];
  /** Id of the last customer that was read. */
  readonly lastId: number | undefined;
  /** Whether no other customers are read. */
  readonly isOnly: boolean;
}

/**
 * Yields those of the customers with these ids that meet the filter and have the values that it
 * looks up, some at a time. They are read consistently, since an index can lag behind.
 *
 * @param after id after which to start.
 * @param wanted how many customers the caller expects to need. Default: all.
 */
export async function* lookedUpCustomers(
  merchantId: string,
  filter: CustomerFilter,
  ids: readonly number[],
  {
    after = 0,
    wanted = Number.POSITIVE_INFINITY,
    retry = once,
  }: { readonly after?: number; readonly wanted?: number; readonly retry?: Retry } = {},
): AsyncGenerator<LookedUp> {
  const rest = ids.filter((id) => id > after);
  const forms = formsOf(filter.lookUps ?? {});
  const isFound = ({ system, fields }: Customer) =>
    hasForms(fields, forms) && meetsFilter(filter, toSearchAttributes(system, fields));
  const read = async (batch: readonly number[]): Promise<LookedUp> => ({
    customers: (await retry(() => readCustomers(merchantId, batch))).filter(isFound),
    lastId: batch.at(-1),
    isOnly: batch.length === rest.length,
  });
  const concurrency = Number.isFinite(wanted) ? 1 : CONCURRENT_BATCHES;
  yield* mapAhead(batches(rest, wanted), concurrency, read);
}

/** Returns customers as rows of a format. */
export function rowsOf(customers: readonly Customer[], format: RowFormat): Rows {
  const rows = customers.map((customer) =>
    Buffer.from(plainRow(format, textsOf(customer, format))),
  );
  let length = 0;
  const ends = rows.map((row) => {
    length += row.length;
    return length;
  });
  const ids = customers.map(({ system }) => system.mexcParamvaluesetsid);
  return { text: Buffer.concat(rows, length), ids, ends };
}

/** Returns the values of the columns, as the table has them. */
function textsOf(customer: Customer, format: RowFormat): string[] {
  const { system, fields, version } = customer;
  const record = { version, updated: Date.parse(customer.updated) };
  const values: Readonly<Record<string, unknown>> = { ...fields, ...system, ...record };
  return format.columns.map(({ of }) => String(values[of] ?? ''));
}

/** Yields the ids in batches, at first no more than are wanted. */
function* batches(ids: readonly number[], wanted: number): Generator<number[]> {
  let left = wanted;
  for (let from = 0; from < ids.length; ) {
    const size = left > 0 ? Math.min(BATCH, left) : BATCH;
    yield ids.slice(from, from + size);
    from += size;
    left -= size;
  }
}

type Forms = readonly (readonly [name: LookUpName, forms: ReadonlySet<string>])[];

function formsOf(lookUps: LookUps): Forms {
  return LOOK_UP_NAMES.flatMap((name) => {
    const values = lookUps[name];
    if (!values) return [];
    // Nothing of an empty form is compared.
    const forms = values.map((value) => lookUpForm(name, value)).filter(Boolean);
    return [[name, new Set(forms)] as const];
  });
}

function hasForms(fields: Customer['fields'], forms: Forms): boolean {
  const own = lookUpForms(fields);
  return forms.every(([name, values]) =>
    FIELDS_OF[name].some((field) => values.has(own[field] as string)),
  );
}

/** Returns the customers with these ids, in their order, read consistently; absent ones are skipped. */
async function readCustomers(merchantId: string, ids: readonly number[]): Promise<Customer[]> {
  const items = await getItems(ids.map((id) => rawCustomerKey(merchantId, id)));
  const customers = items.map(toCustomer);
  return customers.sort((a, b) => a.system.mexcParamvaluesetsid - b.system.mexcParamvaluesetsid);
}
