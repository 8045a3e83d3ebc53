import type { ImportState } from '../../../shared/domain/import-job.ts';
import { ApiError, type ImportStatus, type Polled } from './api.ts';
import { confirm } from './dom.ts';
import type { Page } from './page.ts';

/** States from which an import is undone. */
const UNDOABLE: readonly ImportState[] = ['applied', 'stopped'];

/** Returns whether an import can be undone. */
export function isUndoable({ state }: ImportStatus): boolean {
  return UNDOABLE.includes(state);
}

/**
 * Asks whether to undo an import, and begins to.
 *
 * @returns the response to that; undefined if the reader does not want to.
 */
export async function undo(
  { api, texts }: Page,
  { importId, plan = '', results }: ImportStatus,
): Promise<Polled<ImportStatus> | undefined> {
  const { import: words } = texts;
  const { created = 0, updated = 0 } = results ?? {};
  const lines = [
    ...(created > 0 ? [words.undoCreated(created)] : []),
    ...(updated > 0 ? [words.undoUpdated(updated)] : []),
    words.undoLimits,
  ];
  const agrees = await confirm(words.undoHeading, lines, words.undoConfirm, texts.cancel);
  return agrees ? api.undoImport(importId, plan) : undefined;
}

/** Asks whether to delete an import, and does; returns whether it did. */
export async function remove({ api, texts }: Page, job: ImportStatus): Promise<boolean> {
  const { import: words } = texts;
  const line = isUndoable(job) ? words.removeApplied : words.removePlan;
  const agrees = await confirm(words.removeHeading, [line], words.removeConfirm, texts.cancel);
  if (!agrees) return false;
  const { state } = await api.deleteImport(job.importId);
  // Something is still being done, which had to be stopped first.
  if (state !== 'canceled') throw new ApiError(409, '');
  return true;
}
