import { store, stored } from './stored.ts';

const STORED_NAMES = 'files';

/** Names of files that this browser has sent, by their import: the API does not keep them. */
type FileNames = Readonly<Record<string, string>>;

/** Returns the name of an import's file, if this browser has sent it. */
export function fileNameOf(importId: string): string | undefined {
  const names = read();
  return Object.hasOwn(names, importId) ? names[importId] : undefined;
}

/** Remembers the name of an import's file. */
export function rememberFileName(importId: string, name: string): void {
  write({ ...read(), [importId]: name });
}

/** Forgets the names of files whose import is not among these. */
export function keepFileNames(importIds: readonly string[]): void {
  write(Object.fromEntries(Object.entries(read()).filter(([id]) => importIds.includes(id))));
}

function read(): FileNames {
  try {
    return JSON.parse(stored('localStorage', STORED_NAMES) ?? '{}');
  } catch {
    return {};
  }
}

function write(names: FileNames): void {
  store('localStorage', STORED_NAMES, JSON.stringify(names));
}
