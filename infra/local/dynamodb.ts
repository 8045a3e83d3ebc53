import { join } from 'node:path';
import type { LocalServer } from './server.ts';
import { startInThread } from './thread.ts';

export interface DynamoDbOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Folder of the data; in memory if not given. */
  readonly path?: string | undefined;
}

/** The folder with the data is in use by another process. */
export class DataInUseError extends Error {}

/** The table has other keys or indexes than today's: an older version created it. */
export class OldTableError extends Error {}

/**
 * Starts dynalite, a DynamoDB server.
 *
 * @throws DataInUseError if another process uses the folder.
 */
export async function startDynamoDb(options: DynamoDbOptions): Promise<LocalServer> {
  try {
    return await startInThread(new URL('./dynamodb-thread.ts', import.meta.url), options);
  } catch (error) {
    // dynalite hides why LevelDB could not open its files; the usual reason is a lock.
    if (!(error as NodeJS.ErrnoException).code?.startsWith('LEVEL_')) throw error;
    throw new DataInUseError(`Another process uses the data in ${options.path}.`);
  }
}

/**
 * Starts the DynamoDB server of a stack.
 *
 * @param dataFolder folder of the stack's data; in memory if not given.
 * @throws DataInUseError if another process uses the folder.
 */
export function startDatabase(port = 0, dataFolder?: string): Promise<LocalServer> {
  return startDynamoDb({ port, path: dataFolder && join(dataFolder, 'dynamodb') });
}
