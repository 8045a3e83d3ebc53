import { existsSync, readdirSync, rmSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/compile');

/**
 * Has this process take modules from the compile cache from now on, unless it does already.
 *
 * `npm start` takes 0.2 s less CPU time.
 */
export function useCompileCache(): void {
  enableCompileCache(FOLDER);
}

/**
 * Returns the environment of a process or thread that keeps compiled modules between starts, in
 * Node's compile cache. Node checks each entry by a hash of its source.
 *
 * A thread of a server starts with 70 to 80 ms less CPU time: Node neither compiles its packages
 * nor strips its types.
 *
 * @see https://nodejs.org/api/module.html#module-compile-cache
 */
export function withCompileCache(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? FOLDER,
  };
}

/**
 * Saves what this thread has compiled so far. Node does so when a process or thread exits by itself, but
 * not in the threads of a process that is killed, as Vitest kills those of tests.
 *
 * @see https://nodejs.org/api/module.html#moduleflushcompilecache
 */
export function saveCompiled(): void {
  flushCompileCache();
}

/**
 * Empties the compile cache if it has more entries than a maximum. Node deletes none, and a test run adds 700 of
 * modules in temporary folders, which are 40 MB.
 */
export function limitCompileCache(maxEntries: number, folder = FOLDER): void {
  // Where there is no folder, nothing was cached yet; each version of Node has a folder in it.
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  if (entries.length > maxEntries) rmSync(folder, { recursive: true, force: true });
}
