import { RESULTS, UNDO_RESULTS } from '../../../shared/domain/import.ts';
import type { ImportStatus } from './api.ts';
import { el } from './dom.ts';
import type { Texts } from './english.ts';

/** Outcomes that are left out of applying. */
const LEFT_OUT = ['invalid', 'ambiguous', 'skipped'] as const;

/** Returns what the reader should know of a file. */
export function factsOf(job: ImportStatus, texts: Texts): readonly (HTMLElement | false)[] {
  const { import: words } = texts;
  const {
    rows = 0,
    encoding,
    delimiter,
    unknownColumns = [],
    sheetsNotRead = [],
    warnings = [],
  } = job;
  return [
    el(
      'p',
      { class: 'help' },
      words.facts(rows, encoding, delimiter && (words.delimiters[delimiter] ?? delimiter)),
    ),
    unknownColumns.length > 0 && warning(words.unknownColumns(unknownColumns.join(', '))),
    sheetsNotRead.length > 0 && warning(words.sheetsNotRead(sheetsNotRead.join(', '))),
    ...warnings.map(({ code, detail, import: earlier }) => {
      return warning(
        texts.warnings[code] ?? detail,
        earlier !== undefined && el('a', { href: `#import=${earlier}` }, words.earlier),
      );
    }),
  ];
}

/** Returns a warning, with a link if one belongs to it. */
export function warning(text: string, link: HTMLElement | false = false): HTMLElement {
  return el('p', { class: 'message warning' }, text, ' ', link);
}

/** Returns how many rows of a plan are left out. */
export function leftOutOf(counts: ImportStatus['counts']): number {
  return LEFT_OUT.reduce((sum, outcome) => sum + (counts?.[outcome] ?? 0), 0);
}

/** Returns what applying the plan does, a line each. */
export function plannedLines({ counts }: ImportStatus, texts: Texts): readonly string[] {
  const { import: words } = texts;
  const { create = 0, update = 0, unchanged = 0 } = counts ?? {};
  const leftOut = leftOutOf(counts);
  const reasons = LEFT_OUT.flatMap((name) => {
    const count = counts?.[name] ?? 0;
    return count > 0 ? `${texts.number(count)} ${words.outcomes[name](count)}` : [];
  });
  return [
    ...(create > 0 ? [words.create(create)] : []),
    ...(update > 0 ? [words.update(update)] : []),
    ...(unchanged > 0 ? [words.keep(unchanged)] : []),
    ...(leftOut > 0 ? [words.leave(leftOut, reasons.join(', '))] : []),
  ];
}

/** Returns what was done, or undone, a line each. */
export function doneLines({ results, undone }: ImportStatus, texts: Texts): readonly string[] {
  const { import: words } = texts;
  if (undone) {
    return UNDO_RESULTS.filter((name) => undone[name] > 0).map((name) =>
      words.undoResults[name](undone[name]),
    );
  }
  return RESULTS.filter((name) => (results?.[name] ?? 0) > 0).map((name) =>
    words.results[name](results?.[name] ?? 0),
  );
}

/** Returns why an import failed or stopped. */
export function reasonOf({ reason }: ImportStatus, texts: Texts): string {
  return texts.reasons[reason?.code ?? ''] ?? reason?.detail ?? '';
}
