import type { ImportFormat } from '../../../shared/domain/import.ts';
import { MAX_IMPORT_BYTES } from '../../../shared/domain/limits.ts';
import { ApiError, digestOf, type NewImport, NoContactError, sendFile } from './api.ts';
import { MATCH_CHOICES, type MatchChoice } from './choices.ts';
import { actions, announce, el, put, radios } from './dom.ts';
import { formatOf } from './file-format.ts';
import { errorMessage, type Page } from './page.ts';

/** Names that the API gives to exported files, which have ids. */
const OWN_EXPORT = /^customers-/;

/** A file that can be sent. */
interface ChosenFile {
  readonly file: File;
  readonly format: ImportFormat;
}

/** A file that is being sent. */
interface Sending {
  readonly chosen: ChosenFile;
  /** How much of it has been sent, from 0 to 1. */
  part: number;
  readonly canceled: AbortController;
}

/** What is kept of the form when it is shown anew, in another language say. */
export interface ImportDraft {
  /** What the reader has chosen and not sent yet. */
  chosen?: ChosenFile | undefined;
  settings?: FormData | undefined;
  sending?: Sending | undefined;
  /** Why the file that was chosen could not be sent. */
  failure?: unknown;
  /** Shows in the present form how sending goes. */
  showSending?: () => void;
}

/** Forgets a draft, and stops sending its file. */
export function forget(draft: ImportDraft): void {
  draft.sending?.canceled.abort();
  draft.sending = undefined;
  draft.chosen = undefined;
  draft.failure = undefined;
}

/** Part of the page that sends a file, to be planned. */
export function importForm(page: Page, draft: ImportDraft): HTMLElement {
  const { api, texts } = page;
  const { form: words } = texts;

  const message = el('div');
  const transfer = el('div');
  const said = el('p', { class: 'file', id: 'file-chosen' });
  const input = el('input', {
    type: 'file',
    id: 'file',
    class: 'hidden',
    accept: '.xlsx,.csv,.txt,.xml,.json,.jsonl,.ndjson',
    'aria-describedby': 'file-accepted file-chosen',
    onchange: () => {
      if (input.files?.[0]) choose([...input.files]);
    },
  });
  const dropZone = el(
    'div',
    {
      class: 'drop',
      ondragover: (event: DragEvent) => {
        event.preventDefault();
        dropZone.classList.add('over');
      },
      ondragleave: () => dropZone.classList.remove('over'),
      ondrop: (event: DragEvent) => {
        event.preventDefault();
        dropZone.classList.remove('over');
        choose([...(event.dataTransfer?.files ?? [])]);
      },
    },
    el(
      'p',
      {},
      words.drop,
      ' ',
      input,
      el('label', { for: 'file', class: 'button' }, words.choose),
    ),
    el('p', { class: 'help', id: 'file-accepted' }, words.accepted),
    said,
  );
  const sheet = el(
    'p',
    { class: 'field', hidden: true },
    el('label', { for: 'sheet' }, words.sheet),
    el('input', { id: 'sheet', name: 'sheet', autocomplete: 'off' }),
  );
  const submit = el('button', { type: 'submit', class: 'main' }, words.submit);
  const bar = el('progress', { max: 1, value: 0, 'aria-label': words.sending });
  const progress = el('p');
  const stop = el(
    'button',
    { type: 'button', onclick: () => draft.sending?.canceled.abort() },
    texts.cancel,
  );
  const form = el(
    'form',
    {
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        if (draft.chosen) send(draft.chosen);
        else refuse(words.noFile);
      },
      onchange: keepSettings,
    },
    dropZone,
    transfer,
    message,
    el(
      'div',
      { class: 'settings' },
      radios('match', words.match, 'customerid'),
      radios('mode', words.mode, 'upsert'),
      radios('empty', words.empty, 'keep'),
    ),
    el(
      'label',
      { class: 'choice' },
      el('input', { type: 'checkbox', name: 'unkeyed', value: 'create' }),
      el('span', {}, words.unkeyed),
    ),
    sheet,
    actions(submit),
  );

  function refuse(text: string): void {
    put(message, el('p', { class: 'message error', role: 'alert' }, text));
    input.focus();
  }

  async function choose(files: readonly File[]): Promise<void> {
    const [file] = files;
    if (!file) return;
    draft.chosen = undefined;
    draft.failure = undefined;
    put(said);
    put(message);
    const faults = words.fileErrors;
    if (files.length > 1) return refuse(faults.several);
    if (file.size === 0) return refuse(faults.empty);
    if (file.size > MAX_IMPORT_BYTES) return refuse(faults.tooLarge);
    const format = await formatOf(file).catch(() => undefined);
    if (!format) return refuse(faults.unreadable);
    if (typeof format === 'object') return refuse(faults[format.fault]);
    draft.chosen = { file, format };
    announce(showChosen(draft.chosen));
    if (OWN_EXPORT.test(file.name)) {
      const byId = form.querySelector<HTMLInputElement>('input[name=match][value=id]');
      if (byId) byId.checked = true;
    }
    keepSettings();
  }

  function showChosen({ file, format }: ChosenFile): string {
    const text = words.chosen(file.name, words.formats[format], texts.bytes(file.size));
    said.textContent = text;
    sheet.hidden = format !== 'xlsx';
    return text;
  }

  function keepSettings(): void {
    draft.settings = new FormData(form);
  }

  function restore({ settings }: ImportDraft): void {
    if (!settings) return;
    for (const field of form.querySelectorAll<HTMLInputElement>('input[name]')) {
      const value = settings.get(field.name);
      if (field.type === 'text') field.value = String(value ?? '');
      else field.checked = value === field.value;
    }
  }

  /** Returns the options that the form has. */
  function options({ file, format }: ChosenFile): NewImport {
    const data = new FormData(form);
    const sheetName = format === 'xlsx' ? String(data.get('sheet') ?? '').trim() : '';
    return {
      format,
      filename: file.name,
      bytes: file.size,
      match: MATCH_CHOICES[data.get('match') as MatchChoice],
      mode: data.get('mode') as NewImport['mode'],
      empty: data.get('empty') as NewImport['empty'],
      unkeyed: data.has('unkeyed') ? 'create' : 'invalid',
      ...(sheetName !== '' && { sheet: sheetName }),
    };
  }

  function showSending(): void {
    const { chosen, sending, failure } = draft;
    const named = chosen ?? sending?.chosen;
    if (named) showChosen(named);
    submit.disabled = sending !== undefined;
    if (sending) {
      // Put there once, so that a focused button keeps the focus.
      if (!transfer.contains(bar)) put(transfer, bar, progress, actions(stop));
      bar.value = sending.part;
      const percent = Math.floor(sending.part * 100);
      progress.textContent = percent > 0 ? words.sent(percent) : words.sending;
      return;
    }
    put(transfer);
    if (failure instanceof DOMException) refuse(words.fileErrors.changed);
    else if (failure instanceof NoContactError) refuse(words.sendFailed);
    else put(message, failure !== undefined && errorMessage(failure, page));
  }

  /** Sends the file and has it planned; shows the import, or why there is none. */
  async function send(chosen: ChosenFile): Promise<void> {
    const { file } = chosen;
    const given = options(chosen);
    const sending: Sending = { chosen, part: 0, canceled: new AbortController() };
    const { signal } = sending.canceled;
    draft.chosen = undefined;
    draft.failure = undefined;
    draft.sending = sending;
    put(message);
    showSending();
    announce(words.sending);
    let id: string | undefined;
    try {
      const sha256 = await digestOf(file);
      signal.throwIfAborted();
      const created = await api.createImport({ ...given, sha256 });
      id = created.importId;
      if (!created.upload) throw new NoContactError();
      await sendFile(
        created.upload,
        file,
        (part) => {
          sending.part = part;
          draft.showSending?.();
        },
        signal,
      );
      await api.planImport(id);
      signal.throwIfAborted();
      draft.settings = undefined;
      draft.sending = undefined;
      page.open(id);
    } catch (error) {
      // Nothing is known of the file; the import would be in the list for a day.
      if (id) await api.deleteImport(id).catch(() => {});
      if (draft.sending !== sending) return;
      draft.sending = undefined;
      draft.chosen ??= chosen;
      // Of a token that is refused the page has told.
      const isTold = signal.aborted || (error instanceof ApiError && error.status === 401);
      draft.failure = isTold ? undefined : error;
      draft.showSending?.();
    }
  }

  restore(draft);
  draft.showSending = showSending;
  showSending();
  return el(
    'section',
    { 'aria-labelledby': 'form-heading' },
    el('h2', { id: 'form-heading' }, words.heading),
    el('p', {}, words.intro),
    form,
  );
}
