import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * Folder of the data that `npm start` keeps between starts: the environment variable `DATA_FOLDER`,
 * or `.local`, which git ignores.
 */
export const DATA_FOLDER = resolve(
  process.env.DATA_FOLDER || join(import.meta.dirname, '../../.local'),
);

/**
 * Files and folders in the data folder, in the order in which `--reset` deletes them. The mark of
 * the sample customers is first: if a reset is interrupted, the next start creates them again.
 */
export const DATA_ENTRIES = [
  'sample-customers-created',
  'customers-to-add',
  'authorization',
  'issuer',
  'issuer-key.json',
  'durable',
  's3',
  'stream-position',
  'schedules.json',
  'dynamodb',
] as const;

/** The file with the issuer's URL at the last start. */
export const ISSUER_FILE = 'issuer';

type DataEntry = (typeof DATA_ENTRIES)[number];

const UNFINISHED = '.unfinished-';

/** Returns a name for a file until its content is complete. */
export function unfinishedName(name: DataEntry): string {
  return name + UNFINISHED + randomUUID();
}

/** Returns whether a name is one of {@link unfinishedName}: a killed process has left the file. */
export function isUnfinished(name: string): boolean {
  return DATA_ENTRIES.some((entry) => name.startsWith(entry + UNFINISHED));
}

/**
 * Closes the data to other users of this machine: files that this process and its threads create from
 * now on get the mode 0600, folders 0700. So do the entries of an earlier version; other files in the
 * folder, and the folder itself if it exists, stay as they are.
 */
export async function secureDataFolder(): Promise<void> {
  process.umask(0o077);
  for (const name of DATA_ENTRIES) {
    const entry = join(DATA_FOLDER, name);
    const stats = await stat(entry).catch(() => undefined);
    if (stats) await chmod(entry, stats.isDirectory() ? 0o700 : 0o600);
  }
}

/** Returns the content of a file in the data folder; undefined if there is no such file. */
export async function readDataFile(folder: string, name: DataEntry): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a file in the data folder: as a whole or not, if the process is killed. Only its owner can read
 * it: the key and the token allow full access to the API.
 *
 * @returns the path of the file.
 */
export async function writeDataFile(
  folder: string,
  name: DataEntry,
  text: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  const unfinished = join(folder, unfinishedName(name));
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, file);
  return file;
}
