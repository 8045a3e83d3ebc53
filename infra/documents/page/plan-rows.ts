import type { Outcome, Result } from '../../../shared/domain/import.ts';
import type { ImportStatus } from './api.ts';
import { announce, el, put } from './dom.ts';
import type { Texts } from './english.ts';
import { errorMessage, type Page } from './page.ts';
import { customersOf, rowsTable } from './rows-table.ts';

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
/** Rows of a page. */
const LIMIT = 25;

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
      const customers = await api.customersById(rows.flatMap(customersOf));
      if (call !== calls) return;
      put(
        content,
        group.meaning !== undefined && el('p', { class: 'help' }, group.meaning),
        el(
          'div',
          { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': group.name },
          rowsTable(rows, customers, page),
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
