import type { ExportStatus, Polled } from './api.ts';
import { EXPORT_CHOICES, type ExportChoice } from './choices.ts';
import { actions, announce, el, put, radios } from './dom.ts';
import { download, errorMessage, type Page, wait } from './page.ts';

/** Part of the page that downloads all customers in a format. */
export function exportSection(page: Page): HTMLElement {
  const { api, language, texts } = page;
  const result = el('div', { class: 'result' });
  const submit = el('button', { type: 'submit', class: 'main' }, texts.export.submit);
  const form = el(
    'form',
    {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const chosen = new FormData(form).get('export') as ExportChoice;
        const { format, options } = EXPORT_CHOICES[chosen];
        const headers = format === 'xlsx' && language === 'sv' ? { headers: 'sv' } : {};
        run(() => api.exportCustomers(format, { ...options, ...headers }));
      },
    },
    radios('export', texts.export, 'xlsx', 'settings'),
    actions(submit),
  );

  async function run(start: () => Promise<Polled<ExportStatus>>): Promise<void> {
    submit.disabled = true;
    put(result, el('p', {}, texts.export.preparing));
    announce(texts.export.preparing);
    try {
      const file = await untilReady(await start());
      if (file) showFile(file);
    } catch (error) {
      put(result, errorMessage(error, page));
    }
    submit.disabled = false;
  }

  /** Waits for a long export, and shows its progress; undefined if there will be no file. */
  async function untilReady({
    body,
    waitMs,
  }: Polled<ExportStatus>): Promise<ExportStatus | undefined> {
    if (body.url) return body;
    const ended = new AbortController();
    const bar = el('progress', { 'aria-label': texts.export.preparing });
    const said = el('p');
    const stop = el(
      'button',
      {
        type: 'button',
        onclick: async () => {
          ended.abort();
          await api.cancelExport(body.exportId as string).catch(() => {});
        },
      },
      texts.export.stop,
    );
    put(result, bar, said, actions(stop));
    let status = body;
    for (let pause = waitMs; status.state === 'running'; ) {
      const { rowsDone = 0, rowsExpected = 0 } = status;
      bar.max = Math.max(rowsExpected, 1);
      bar.value = rowsDone;
      said.textContent = texts.export.progress(rowsDone, rowsExpected);
      announce(said.textContent);
      await wait(pause, ended.signal);
      if (ended.signal.aborted) break;
      ({ body: status, waitMs: pause } = await api.getExport(body.exportId as string));
    }
    if (status.url) return status;
    const { stopped, failed } = texts.export;
    const text = ended.signal.aborted || status.state === 'canceled' ? stopped : failed;
    put(result, el('p', { class: 'message' }, text));
    announce(text);
    return undefined;
  }

  function showFile({ url = '', filename = '', count = 0, bytes = 0 }: ExportStatus): void {
    const text = texts.export.ready(count, texts.bytes(bytes));
    put(
      result,
      el(
        'div',
        { class: 'message success' },
        el('p', {}, text),
        el('p', {}, el('a', { href: url, download: filename }, texts.export.again(filename))),
      ),
    );
    announce(text);
    download(url, filename);
  }

  return el(
    'section',
    { 'aria-labelledby': 'export-heading' },
    el('h2', { id: 'export-heading' }, texts.export.heading),
    el('p', {}, texts.export.intro),
    form,
    result,
  );
}
