// Runs in the browser: the page by which a person imports and exports customers.

import { Api } from './api.ts';
import { actions, el, focusOn, liveRegion, put } from './dom.ts';
import { english, type Texts } from './english.ts';
import { exportSection } from './export-section.ts';
import { forget, type ImportDraft, importForm } from './import-form.ts';
import { importList } from './import-list.ts';
import { importView } from './import-view.ts';
import type { Language, Page } from './page.ts';
import { createSession } from './session.ts';
import { store, stored } from './stored.ts';
import { swedish } from './swedish.ts';

const TEXTS: Readonly<Record<Language, Texts>> = { sv: swedish, en: english };
/** Where the chosen language is remembered. */
const STORED_LANGUAGE = 'language';
/** Address of an import within the page. */
const IMPORT_ADDRESS = /^#import=([\w-]+)$/;

const main = el('main', { id: 'main', tabindex: -1 });
const header = el('header');
let language = initialLanguage();
/** Ends the work of what is shown, before something else is. */
let shown = new AbortController();
const draft: ImportDraft = {};
const session = createSession();
const api = new Api(session, () => show(TEXTS[language].problems[401]));

/** Returns the language that was chosen; else the first of the browser's that the page has. */
function initialLanguage(): Language {
  const wanted = [stored('localStorage', STORED_LANGUAGE) ?? '', ...navigator.languages];
  const found = wanted.map((tag) => tag.slice(0, 2)).find((tag) => Object.hasOwn(TEXTS, tag));
  return (found as Language | undefined) ?? 'en';
}

/**
 * Shows what the address names, once there is a token.
 *
 * @param reason why there is no token any more.
 */
function show(reason?: string): void {
  shown.abort();
  shown = new AbortController();
  const texts = TEXTS[language];
  document.documentElement.lang = language;
  document.title = texts.title;
  const page: Page = {
    api,
    language,
    texts,
    open: (id) => go(`#import=${id}`),
    home: () => go('#'),
  };
  put(header, ...headerOf(texts));
  const [, id] = IMPORT_ADDRESS.exec(location.hash) ?? [];
  if (session.isMissing()) put(main, tokenForm(texts, reason));
  else if (id) put(main, importView(page, id, shown.signal));
  else put(main, exportSection(page), importForm(page, draft), importList(page));
}

function go(hash: string): void {
  if (location.hash === hash || (hash === '#' && location.hash === '')) show();
  else location.hash = hash;
}

function headerOf(texts: Texts): readonly HTMLElement[] {
  const choose = (value: Language, name: string) =>
    el(
      'button',
      {
        type: 'button',
        lang: value,
        'aria-pressed': value === language,
        onclick: () => {
          language = value;
          store('localStorage', STORED_LANGUAGE, value);
          show();
          header.querySelector<HTMLElement>(`[lang=${value}]`)?.focus();
        },
      },
      name,
    );
  const change = el(
    'button',
    {
      type: 'button',
      class: 'quiet',
      onclick: () => {
        session.forget();
        forget(draft);
        show();
      },
    },
    texts.token.change,
  );
  return [
    el('h1', {}, texts.title),
    el(
      'div',
      { class: 'languages', role: 'group', 'aria-label': texts.language },
      choose('sv', 'Svenska'),
      choose('en', 'English'),
      session.isPasted && !session.isMissing() && change,
    ),
  ];
}

/**
 * Returns the form in which the reader pastes a token; then the page is shown.
 *
 * @param reason why there is none any more.
 */
function tokenForm({ token: words }: Texts, reason: string | undefined): HTMLElement {
  const input = el('input', {
    id: 'token',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'token-help',
  });
  const paste = (event: SubmitEvent) => {
    event.preventDefault();
    session.paste(input.value.trim().replace(/^Bearer\s+/i, ''));
    show();
  };
  return el(
    'section',
    { 'aria-labelledby': 'token-heading' },
    el('h2', { id: 'token-heading' }, words.heading),
    reason !== undefined && el('p', { class: 'message error', role: 'alert' }, reason),
    el(
      'form',
      { onsubmit: paste },
      el('p', { class: 'field' }, el('label', { for: 'token' }, words.label), input),
      el('p', { class: 'help', id: 'token-help' }, words.help),
      actions(el('button', { type: 'submit', class: 'main' }, words.submit)),
    ),
  );
}

addEventListener('hashchange', () => {
  show();
  scrollTo(0, 0);
  const heading = main.querySelector('h2');
  if (heading) focusOn(heading);
});

document.body.append(header, main, liveRegion);
show();
