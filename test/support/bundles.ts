import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { vi } from 'vitest';
import { bundleFunctions } from '../../infra/bundle/bundle.ts';

/**
 * Bundles every function, once for all processes of a test run: esbuild takes 8 seconds of CPU time.
 *
 * @returns the folder of the bundles, which must not be changed, and esbuild's metafiles.
 */
export async function sharedBundles(): Promise<Awaited<ReturnType<typeof bundleFunctions>>> {
  // The temporary folder is the run's own.
  const folder = join(tmpdir(), 'functions');
  const file = join(tmpdir(), 'metafiles.json');
  if (isFirstToCreate(folder)) {
    const { metafiles } = await bundleFunctions(folder);
    writeFileSync(`${file}.new`, JSON.stringify([...metafiles]));
    renameSync(`${file}.new`, file);
  }
  await vi.waitUntil(() => existsSync(file), { timeout: 100_000, interval: 100 });
  const metafiles = new Map<string, Metafile>(JSON.parse(readFileSync(file, 'utf8')));
  return { folder, metafiles };
}

/** Creates a folder. Returns false if another process has done so. */
function isFirstToCreate(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
