import { faultText, MAX_FAULTS_TOLD, moreFaultsText } from '../../../shared/domain/fault-texts.ts';
import type { FieldName } from '../../../shared/domain/fields.ts';
import type { Outcome, Result, RowFault } from '../../../shared/domain/import.ts';
import type { Customer, ImportStatus, ListedRow } from './api.ts';
import { announce, el, put } from './dom.ts';
import type { Texts } from './english.ts';
import { errorMessage, type Page } from './page.ts';

const OUTCOME_ORDER: readonly Outcome[] = [
  'invalid',
  'ambiguous',
  'update',
  'create',
  'skipped',
  'unchanged',
];
const RESULT_ORDER: readonly Result[] = [
  'unclear',
  'changedMeanwhile',
  'updated',
  'created',
  'leftOut',
  'unchanged',
];
/** Outcomes of rows whose customer is known. */
const CUSTOMER_KNOWN: readonly Outcome[] = ['create', 'update', 'unchanged'];
/** Rows of a page. */
const LIMIT = 25;

type Customers = ReadonlyMap<number, Customer>;

/** Rows that are shown together: those of a plan by outcome, later by what was done. */
interface Group {
  readonly filter: { readonly outcome: Outcome } | { readonly result: Result };
  readonly count: number;
  readonly name: string;
  /** What the rows have in common; undefined if the name says it. */
  readonly meaning?: string;
  readonly class: string;
}

/** Part of the page that shows the rows of an import in groups, some rows at a time. */
export function planRows(page: Page, job: ImportStatus): HTMLElement {
  const { api, texts } = page;
  const { import: words } = texts;
  const groups = groupsOf(job, texts);
  const content = el('div');
  /** Counts the calls, of which only the last one is shown. */
  let calls = 0;

  const buttons = groups.map((group) =>
    el(
      'button',
      {
        type: 'button',
        class: `outcome ${group.class}`,
        'aria-pressed': false,
        onclick: () => choose(group),
      },
      el('strong', {}, texts.number(group.count)),
      ` ${group.name}`,
    ),
  );

  function choose(group: Group): void {
    for (const [index, button] of buttons.entries()) {
      button.setAttribute('aria-pressed', String(groups[index] === group));
    }
    showPage(group, [0]);
  }

  /** @param starts rows after which the pages begin, up to the one that is shown. */
  async function showPage(group: Group, starts: readonly number[]): Promise<void> {
    calls += 1;
    const call = calls;
    try {
      const { rows, next } = await api.listRows(
        job.importId,
        group.filter,
        starts.at(-1) ?? 0,
        LIMIT,
      );
      const customers = await api.customersById(rows.flatMap(idsOf));
      if (call !== calls) return;
      put(
        content,
        group.meaning !== undefined && el('p', { class: 'help' }, group.meaning),
        el(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': group.name },
          tableOf(rows, customers),
        ),
        group.count > LIMIT && turning(group, starts, rows.length, next),
      );
      announce(`${texts.number(group.count)} ${group.name}`);
    } catch (error) {
      if (call === calls) put(content, errorMessage(error, page));
    }
  }

  /** Returns buttons to the previous and the next page. */
  function turning(
    group: Group,
    starts: readonly number[],
    shown: number,
    next: number | undefined,
  ): HTMLElement {
    const from = (starts.length - 1) * LIMIT + 1;
    const button = (text: string, to: readonly number[], isPossible: boolean) =>
      el(
        'button',
        { type: 'button', disabled: !isPossible, onclick: () => showPage(group, to) },
        text,
      );
    return el(
      'p',
      { class: 'actions' },
      button(words.previous, starts.slice(0, -1), starts.length > 1),
      el('span', {}, words.page(from, from + shown - 1, group.count)),
      button(words.next, [...starts, next ?? 0], next !== undefined),
    );
  }

  function tableOf(rows: readonly ListedRow[], customers: Customers): HTMLElement {
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
            hasCustomers && el('td', {}, customerOf(row, customers)),
            el(
              'td',
              {},
              detailsOf(row, customers),
              row.undone && el('p', {}, words.undone[row.undone]),
            ),
          ),
        ),
      ),
    );
  }

  function customerOf(row: ListedRow, customers: Customers): string | HTMLElement {
    if (row.outcome === 'create') return row.fields.name ?? '';
    return 'id' in row ? nameOf(row.id, customers) : '';
  }

  function detailsOf(row: ListedRow, customers: Customers): string | HTMLElement {
    switch (row.outcome) {
      case 'create':
        return listOf(
          Object.entries(row.fields).filter(([field, text]) => field !== 'name' && text !== ''),
          (text) => [text],
        );
      case 'update':
        return listOf(Object.entries(row.changes), ([before, after]) => [
          before ? el('del', {}, before) : el('em', {}, words.table.empty),
          el('span', { 'aria-hidden': true }, ' → '),
          el('span', { class: 'hidden' }, ` ${words.table.becomes} `),
          after ? el('ins', {}, after) : el('em', {}, words.table.empty),
        ]);
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
              row.candidates.map((id) => el('li', {}, nameOf(id, customers))),
            ),
        );
      case 'invalid':
        return faultsOf(row.errors);
      case 'skipped':
        return faultText(row, page.language);
    }
  }

  /** Returns a list of fields and what is said of each. */
  function listOf<Value>(
    entries: readonly (readonly [string, Value])[],
    say: (value: Value) => readonly (string | HTMLElement)[],
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
  function nameOf(id: number, customers: Customers): HTMLElement {
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
  function faultsOf(faults: readonly RowFault[]): HTMLElement {
    const list = (some: readonly RowFault[]) =>
      el(
        'ul',
        { class: 'faults' },
        some.map((fault) => el('li', {}, ...namedFault(fault))),
      );
    const more = faults.slice(MAX_FAULTS_TOLD);
    const first = list(faults.slice(0, MAX_FAULTS_TOLD));
    if (more.length === 0) return first;
    const summary = el('summary', {}, moreFaultsText(more.length, page.language));
    return el('div', {}, first, el('details', {}, summary, list(more)));
  }

  function namedFault(fault: RowFault): readonly (string | HTMLElement)[] {
    const name = fault.column ?? (fault.field && texts.fields[fault.field]);
    const text = faultText(fault, page.language);
    return name ? [el('strong', {}, `${name}: `), text] : [text];
  }

  const [first] = groups;
  if (first) choose(first);
  return el(
    'div',
    { class: 'rows' },
    el('div', { class: 'outcomes', role: 'group', 'aria-label': words.show }, buttons),
    content,
  );
}

/** Returns the groups of an import that have rows; what needs attention first. */
function groupsOf(
  { state, counts, results }: ImportStatus,
  { import: words }: Texts,
): readonly Group[] {
  const groups: readonly Group[] =
    state === 'planned' || !results
      ? OUTCOME_ORDER.map((outcome) => {
          const count = counts?.[outcome] ?? 0;
          const name = words.outcomes[outcome](count);
          const meaning = words.meanings[outcome];
          return { filter: { outcome }, count, name, meaning, class: outcome };
        })
      : RESULT_ORDER.map((result) => {
          const count = results[result];
          const name = words.resultNames[result](count);
          return { filter: { result }, count, name, class: result };
        });
  return groups.filter(({ count }) => count > 0);
}

/** Returns the ids of the customers that a row is about. */
function idsOf(row: ListedRow): readonly number[] {
  if (row.outcome === 'ambiguous') return row.candidates.slice(0, 3);
  return row.outcome === 'update' || row.outcome === 'unchanged' ? [row.id] : [];
}
