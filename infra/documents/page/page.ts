import type { ImportState } from '../../../shared/domain/import-job.ts';
import { type Api, ApiError, NoContactError } from './api.ts';
import { el } from './dom.ts';
import type { Texts } from './english.ts';

export type Language = 'sv' | 'en';

/** States of an import in which something goes on, so that the page asks again. */
export const BUSY: readonly ImportState[] = ['reading', 'applying', 'undoing'];

/** What each part of the page needs. */
export interface Page {
  readonly api: Api;
  readonly language: Language;
  readonly texts: Texts;
  /** Shows an import. */
  open(id: string): void;
  /** Shows the beginning: export, a new import, and the list. */
  home(): void;
}

/** Returns a message about an error, for the place of what failed. */
export function errorMessage(error: unknown, { texts }: Page): HTMLElement {
  const detail = error instanceof ApiError ? error.message : '';
  return el(
    'div',
    { class: 'message error', role: 'alert' },
    el('p', {}, errorText(error, texts)),
    // What the API says itself is in English, and may name what the text does not.
    detail !== '' && el('p', { class: 'detail', lang: 'en' }, detail),
  );
}

function errorText(error: unknown, { noContact, problems, reasons }: Texts): string {
  if (error instanceof NoContactError) return noContact;
  if (!(error instanceof ApiError)) {
    console.error(error);
    return problems[500] ?? '';
  }
  return (
    reasons[error.code ?? ''] ??
    problems[error.type ?? ''] ??
    problems[error.status] ??
    problems[500] ??
    ''
  );
}

/** Downloads a file by a link, as a browser does of itself: with its name and its own progress. */
export function download(url: string, filename: string): void {
  const link = el('a', { href: url, download: filename });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Returns after a time, or at once if the signal is or gets aborted. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
