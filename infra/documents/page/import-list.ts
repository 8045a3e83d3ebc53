import { RESULTS, UNDO_RESULTS } from '../../../shared/domain/import.ts';
import type { ImportStatus } from './api.ts';
import { actions, el, put } from './dom.ts';
import { isUndoable, remove, undo } from './import-actions.ts';
import { BUSY, errorMessage, type Page } from './page.ts';

/** Part of the page that lists earlier imports, each of which can be opened. */
export function importList(page: Page): HTMLElement {
  const { api, texts } = page;
  const { list: words } = texts;
  const message = el('div');
  const content = el('div');

  async function load(): Promise<void> {
    try {
      const imports = await api.listImports();
      put(content, imports.length === 0 ? el('p', {}, words.empty) : listOf(imports));
    } catch (error) {
      const again = el('button', { type: 'button', onclick: load }, texts.retry);
      put(content, errorMessage(error, page), actions(again));
    }
  }

  async function undoImport(job: ImportStatus): Promise<void> {
    try {
      if (await undo(page, job)) page.open(job.importId);
    } catch (error) {
      put(message, errorMessage(error, page));
    }
  }

  async function removeImport(job: ImportStatus): Promise<void> {
    try {
      if (await remove(page, job)) await load();
    } catch (error) {
      put(message, errorMessage(error, page));
    }
  }

  function listOf(imports: readonly ImportStatus[]): HTMLElement {
    return el(
      'ul',
      { class: 'imports' },
      imports.map((job) => {
        const { importId, started, state, filename } = job;
        return el(
          'li',
          {},
          el(
            'div',
            {},
            el(
              'a',
              { href: `#import=${importId}` },
              texts.date(started),
              filename && ` – ${filename}`,
            ),
            el('p', {}, el('strong', {}, texts.import.states[state]), ' ', resultOf(job)),
          ),
          actions(
            isUndoable(job) &&
              el('button', { type: 'button', onclick: () => undoImport(job) }, texts.import.undo),
            !BUSY.includes(state) &&
              el(
                'button',
                { type: 'button', class: 'quiet', onclick: () => removeImport(job) },
                texts.import.remove,
              ),
          ),
        );
      }),
    );
  }

  function resultOf({ results, undone, rows }: ImportStatus): string {
    const words = texts.import;
    if (undone) {
      return UNDO_RESULTS.filter((name) => undone[name] > 0)
        .map((name) => words.undoResults[name](undone[name]))
        .join('; ');
    }
    if (results) {
      return RESULTS.filter((name) => results[name] > 0)
        .map((name) => words.results[name](results[name]))
        .join('; ');
    }
    return rows === undefined ? '' : words.rows(rows);
  }

  load();
  return el(
    'section',
    { 'aria-labelledby': 'list-heading' },
    el('h2', { id: 'list-heading' }, words.heading),
    message,
    content,
  );
}
