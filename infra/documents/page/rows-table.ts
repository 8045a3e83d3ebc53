import { faultText, MAX_FAULTS_TOLD, moreFaultsText } from '../../../shared/domain/fault-texts.ts';
import type { FieldName } from '../../../shared/domain/fields.ts';
import type { Outcome, RowFault } from '../../../shared/domain/import.ts';
import type { Customer, ListedRow } from './api.ts';
import { el } from './dom.ts';
import type { Page } from './page.ts';

type Customers = ReadonlyMap<number, Customer>;

/** Outcomes of rows whose customer is known. */
const CUSTOMER_KNOWN: readonly Outcome[] = ['create', 'update', 'unchanged'];

/** Returns the ids of the customers that a row is about. */
export function customersOf(row: ListedRow): readonly number[] {
  if (row.outcome === 'ambiguous') return row.candidates.slice(0, 3);
  return row.outcome === 'update' || row.outcome === 'unchanged' ? [row.id] : [];
}

/** Returns a table of rows, with what becomes or became of each. */
export function rowsTable(
  rows: readonly ListedRow[],
  customers: Customers,
  page: Page,
): HTMLElement {
  const { texts } = page;
  const { import: words } = texts;
  const hasCustomers = rows.some((row) => CUSTOMER_KNOWN.includes(row.outcome));
  const headings = [
    words.table.row,
    ...(hasCustomers ? [words.table.customer] : []),
    words.table.details,
  ];
  return el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        headings.map((text) => el('th', { scope: 'col' }, text)),
      ),
    ),
    el(
      'tbody',
      {},
      rows.map((row) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row' }, texts.number(row.row)),
          hasCustomers && el('td', {}, customerOf(row, customers, page)),
          el(
            'td',
            {},
            detailsOf(row, customers, page),
            row.undone && el('p', {}, words.undone[row.undone]),
          ),
        ),
      ),
    ),
  );
}

function customerOf(row: ListedRow, customers: Customers, page: Page): string | HTMLElement {
  if (row.outcome === 'create') return row.fields.name ?? '';
  return 'id' in row ? nameOf(row.id, customers, page) : '';
}

function detailsOf(row: ListedRow, customers: Customers, page: Page): string | HTMLElement {
  const { table } = page.texts.import;
  switch (row.outcome) {
    case 'create':
      return listOf(
        Object.entries(row.fields).filter(([field, text]) => field !== 'name' && text !== ''),
        (text) => [text],
        page,
      );
    case 'update':
      return listOf(
        Object.entries(row.changes),
        ([before, after]) => [
          before ? el('del', {}, before) : el('em', {}, table.empty),
          el('span', { 'aria-hidden': true }, ' → '),
          el('span', { class: 'hidden' }, ` ${table.becomes} `),
          after ? el('ins', {}, after) : el('em', {}, table.empty),
        ],
        page,
      );
    case 'unchanged':
      return '';
    case 'ambiguous':
      return el(
        'div',
        {},
        el('p', {}, faultText(row, page.language)),
        row.candidates.length > 0 &&
          el(
            'ul',
            { class: 'candidates' },
            row.candidates.map((id) => el('li', {}, nameOf(id, customers, page))),
          ),
      );
    case 'invalid':
      return faultsOf(row.errors, page);
    case 'skipped':
      return faultText(row, page.language);
  }
}

/** Returns a list of fields and what is said of each. */
function listOf<Value>(
  entries: readonly (readonly [string, Value])[],
  say: (value: Value) => readonly (string | HTMLElement)[],
  { texts }: Page,
): HTMLElement {
  return el(
    'dl',
    {},
    entries.map(([field, value]) =>
      el('div', {}, el('dt', {}, texts.fields[field as FieldName]), el('dd', {}, ...say(value))),
    ),
  );
}

/** Returns name and numbers of a customer. */
function nameOf(id: number, customers: Customers, { texts }: Page): HTMLElement {
  const { name = '', customerid = '' } = customers.get(id) ?? {};
  const numbers = [customerid && `${texts.keys.customerid} ${customerid}`, `id ${id}`];
  return el(
    'span',
    {},
    name && `${name} `,
    el('small', {}, numbers.filter((text) => text !== '').join(', ')),
  );
}

/** Returns a list of faults; of many the first, and the others on demand. */
function faultsOf(faults: readonly RowFault[], page: Page): HTMLElement {
  const list = (some: readonly RowFault[]) =>
    el(
      'ul',
      { class: 'faults' },
      some.map((fault) => el('li', {}, ...namedFault(fault, page))),
    );
  const more = faults.slice(MAX_FAULTS_TOLD);
  const first = list(faults.slice(0, MAX_FAULTS_TOLD));
  if (more.length === 0) return first;
  const summary = el('summary', {}, moreFaultsText(more.length, page.language));
  return el('div', {}, first, el('details', {}, summary, list(more)));
}

function namedFault(fault: RowFault, { texts, language }: Page): readonly (string | HTMLElement)[] {
  const name = fault.column ?? (fault.field && texts.fields[fault.field]);
  const text = faultText(fault, language);
  return name ? [el('strong', {}, `${name}: `), text] : [text];
}
