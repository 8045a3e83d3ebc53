import type { ImportState } from '../../../shared/domain/import-job.ts';
import { ApiError, type ImportStatus, type Polled } from './api.ts';
import { actions, announce, confirm, el, focusOn, put } from './dom.ts';
import { isUndoable, remove, undo } from './import-actions.ts';
import { doneLines, factsOf, leftOutOf, plannedLines, reasonOf } from './import-facts.ts';
import { BUSY, errorMessage, type Page, wait } from './page.ts';
import { planRows } from './plan-rows.ts';
import { rejectedRows } from './rejected-rows.ts';

/** Outcomes that are left out of applying if the reader agrees. */
const AGREED = ['ambiguous', 'invalid'] as const;

/** Part of the page that shows an import: its plan, its progress, its result. */
export function importView(page: Page, id: string, closed: AbortSignal): HTMLElement {
  const { api, texts } = page;
  const { import: words } = texts;
  const heading = el('h2', { id: 'import-heading' }, words.heading);
  const message = el('div');
  const content = el('div', {}, el('progress', { 'aria-label': words.heading }));

  /** Shows an import, and follows it as long as something goes on. */
  async function follow(starting: Promise<Polled<ImportStatus>>): Promise<void> {
    try {
      let { body: job, waitMs } = await starting;
      put(message);
      let shown: ImportState | undefined;
      let progress: ((job: ImportStatus) => void) | undefined;
      while (!closed.aborted) {
        if (job.state !== shown) {
          // Later states appear by themselves, to which a reader is led.
          progress = show(job);
          if (shown !== undefined) focusOn(heading);
          shown = job.state;
        }
        progress?.(job);
        if (!BUSY.includes(job.state)) return;
        await wait(waitMs, closed);
        if (closed.aborted) return;
        ({ body: job, waitMs } = await api.getImport(id));
      }
    } catch (error) {
      if (!closed.aborted) fail(error);
    }
  }

  function fail(error: unknown): void {
    const again = el(
      'button',
      { type: 'button', onclick: () => follow(api.getImport(id)) },
      texts.retry,
    );
    const isGone = error instanceof ApiError && error.status === 404;
    put(message, errorMessage(error, page), !isGone && actions(again));
    if (isGone) put(content);
  }

  /** Shows an import in its state; returns what shows its progress. */
  function show(job: ImportStatus): ((job: ImportStatus) => void) | undefined {
    const state = words.states[job.state];
    put(heading, job.filename ? `${job.filename}: ${state}` : state);
    document.title = `${state} – ${texts.title}`;
    announce(state);
    if (BUSY.includes(job.state)) return showProgress(job);
    put(content, ...viewOf(job));
    return undefined;
  }

  function showProgress({ state }: ImportStatus): (job: ImportStatus) => void {
    const bar = el('progress', { 'aria-labelledby': 'import-heading' });
    const said = el('p');
    put(
      content,
      bar,
      said,
      actions(el('button', { type: 'button', onclick: stop }, words.stop)),
      state !== 'reading' && el('p', { class: 'help' }, words.stopHelp),
    );
    return ({ rowsDone, rows }) => {
      if (rows) {
        bar.max = rows;
        bar.value = rowsDone;
      }
      said.textContent = rows ? words.of(rowsDone, rows) : words.rowsRead(rowsDone);
      announce(said.textContent);
    };
  }

  function viewOf(job: ImportStatus): readonly (HTMLElement | false)[] {
    const { state } = job;
    switch (state) {
      case 'planned':
        return [...factsOf(job, texts), ...planOf(job)];
      case 'applied':
      case 'undone':
        return [...resultOf(job), planRows(page, job)];
      case 'stopped':
        return [
          el('p', { class: 'message warning' }, job.reason ? reasonOf(job, texts) : words.stopped),
          el('p', {}, words.stopped),
          ...resultOf(job),
        ];
      case 'failed':
        return [
          el(
            'div',
            { class: 'message error' },
            el('p', {}, reasonOf(job, texts)),
            el('p', { class: 'detail', lang: 'en' }, job.reason?.detail ?? ''),
          ),
          actions(
            // The file is still there.
            job.reason?.code === 'interrupted' && planAgain(),
            anotherFile(),
            removeButton(job),
          ),
        ];
      default:
        return [
          el('p', { class: 'message' }, state === 'awaitingFile' ? words.notSent : words.tooOld),
          actions(anotherFile(), removeButton(job)),
        ];
    }
  }

  function planAgain(): HTMLElement {
    const onclick = () => follow(api.planImport(id));
    return el('button', { type: 'button', class: 'main', onclick }, texts.retry);
  }

  /** Returns the plan, and what can be done with it. */
  function planOf(job: ImportStatus): readonly HTMLElement[] {
    const { create = 0, update = 0 } = job.counts ?? {};
    const isEmpty = create + update === 0;
    const rejected = leftOutOf(job.counts);
    const apply = el(
      'button',
      { type: 'button', class: 'main', onclick: () => applyPlan(job) },
      words.apply,
    );
    return [
      el(
        'div',
        { class: 'summary' },
        isEmpty
          ? el('p', {}, words.nothing)
          : el(
              'ul',
              {},
              plannedLines(job, texts).map((line) => el('li', {}, line)),
            ),
        job.expires !== undefined &&
          !isEmpty &&
          el('p', { class: 'help' }, words.usable(texts.date(job.expires))),
        actions(!isEmpty && apply, removeButton(job)),
      ),
      ...(rejected > 0 ? [rejectedRows(page, id, rejected)] : []),
      planRows(page, job),
    ];
  }

  async function applyPlan(job: ImportStatus): Promise<void> {
    const lines = [...plannedLines(job, texts), words.canUndo];
    if (!(await confirm(words.applyHeading, lines, words.applyConfirm, texts.cancel))) return;
    const leaveOut = AGREED.filter((outcome) => (job.counts?.[outcome] ?? 0) > 0);
    await follow(api.applyImport(id, job.plan ?? '', leaveOut));
  }

  /** Returns what was done, what was undone, and what can be done. */
  function resultOf(job: ImportStatus): readonly HTMLElement[] {
    const { state, undone, expires } = job;
    const proceed = el('button', { type: 'button', onclick: () => applyPlan(job) }, words.proceed);
    return [
      el(
        'div',
        { class: 'summary' },
        el(
          'ul',
          { class: 'lines' },
          doneLines(job, texts).map((line) => el('li', {}, line)),
        ),
        state === 'applied' &&
          expires !== undefined &&
          el('p', { class: 'help' }, words.undoable(texts.date(expires))),
        actions(
          state === 'stopped' && !undone && proceed,
          isUndoable(job) &&
            el('button', { type: 'button', onclick: () => undoImport(job) }, words.undo),
          removeButton(job),
        ),
      ),
    ];
  }

  async function undoImport(job: ImportStatus): Promise<void> {
    try {
      const undoing = await undo(page, job);
      if (undoing) await follow(Promise.resolve(undoing));
    } catch (error) {
      fail(error);
    }
  }

  function anotherFile(): HTMLElement {
    return el('a', { class: 'button', href: '#' }, words.anotherFile);
  }

  function removeButton(job: ImportStatus): HTMLElement {
    return el(
      'button',
      { type: 'button', class: 'quiet', onclick: () => removeImport(job) },
      words.remove,
    );
  }

  async function removeImport(job: ImportStatus): Promise<void> {
    try {
      if (await remove(page, job)) page.home();
    } catch (error) {
      fail(error);
    }
  }

  /** Stops what goes on; what is done stays. */
  async function stop(): Promise<void> {
    try {
      const { state } = await api.deleteImport(id);
      if (state === 'canceled') page.home();
      else await follow(api.getImport(id));
    } catch (error) {
      fail(error);
    }
  }

  follow(api.getImport(id));
  return el(
    'section',
    { 'aria-labelledby': 'import-heading' },
    el('p', {}, el('a', { href: '#', class: 'back' }, `← ${words.back}`)),
    heading,
    message,
    content,
  );
}
