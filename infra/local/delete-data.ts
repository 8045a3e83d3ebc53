import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DATA_ENTRIES, DATA_FOLDER, isUnfinished } from './data-folder.ts';
import { startDynamoDb } from './dynamodb.ts';

/**
 * Deletes all data of the local stack. Other files in the data folder stay.
 *
 * @throws DataInUseError if another process uses the data.
 */
export async function deleteData(): Promise<void> {
  const owner = await startDynamoDb({ port: 0, path: join(DATA_FOLDER, 'dynamodb') });
  await owner.close();
  const unfinished = (await readdir(DATA_FOLDER)).filter(isUnfinished);
  for (const name of [...DATA_ENTRIES, ...unfinished]) {
    await rm(join(DATA_FOLDER, name), { recursive: true, force: true });
  }
}
