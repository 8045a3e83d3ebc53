import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where `npm start` keeps everything between starts; git ignores it. */
export const DATA_FOLDER = join(import.meta.dirname, '../../.local');

/** The text that is kept under a name; undefined where there is none yet. */
export async function kept(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Keeps a text under a name, readable for its owner only: whoever has key or token has the API.
 *
 * @returns the path of its file.
 */
export async function keep(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
