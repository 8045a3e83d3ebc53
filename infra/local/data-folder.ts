import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * Where `npm start` keeps everything between starts: the folder that the environment variable of
 * this name names, else `.local`, which git ignores.
 */
export const DATA_FOLDER = resolve(
  process.env.DATA_FOLDER || join(import.meta.dirname, '../../.local'),
);

/**
 * All that a start keeps there, in the order in which to forget it: once the samples' mark has
 * gone, the next start creates them again, wherever forgetting was interrupted.
 */
export const CONTENTS = [
  'sample-customers-created',
  'authorization',
  'issuer',
  'issuer-key.json',
  'durable',
  's3',
  'dynamodb',
] as const;

type Name = (typeof CONTENTS)[number];

/** The text that is kept under a name; undefined where there is none yet. */
export async function kept(folder: string, name: Name): Promise<string | undefined> {
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
export async function keep(folder: string, name: Name, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
