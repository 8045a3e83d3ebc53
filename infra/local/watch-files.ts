import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

const SOURCE_FILE = /\.(?:c?[jt]s|json)$/;
/** An editor may write a file in several steps. */
const SETTLE_MS = 30;

/**
 * Calls `changed` with a path after each change of a source file in these folders and those below
 * them, never while an earlier call is in progress.
 *
 * It watches each folder on its own: on Linux, Node's recursive watch follows files and loses one
 * that an editor replaces by renaming another.
 *
 * @returns a function that stops watching.
 */
export function watchFiles(
  folders: readonly string[],
  changed: (path: string) => Promise<void>,
): () => void {
  const watchers = new Map<string, FSWatcher>();
  let latest: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let calls = Promise.resolve();

  const report = async () => {
    const path = latest;
    latest = undefined;
    if (path) await changed(path);
  };
  const onChange = (path: string) => {
    latest = path;
    clearTimeout(timer);
    timer = setTimeout(() => {
      calls = calls.then(report);
    }, SETTLE_MS);
  };
  const watchFolder = (folder: string) => {
    watchers.get(folder)?.close();
    const watcher = watch(folder, (_event, name) => {
      const path = join(folder, name ?? '');
      if (SOURCE_FILE.test(path)) return onChange(path);
      if (path === folder || !isFolder(path)) return;
      // The folder is new, and may already contain files.
      watchFolder(path);
      onChange(path);
    });
    // The folder was deleted, which its parent reports.
    watcher.on('error', () => watcher.close());
    watchers.set(folder, watcher);
    for (const name of readdirSync(folder)) {
      if (name !== 'node_modules' && isFolder(join(folder, name))) watchFolder(join(folder, name));
    }
  };
  for (const folder of folders) watchFolder(folder);
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
