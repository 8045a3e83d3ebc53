import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '../command.ts';
import { withCompileCache } from './compile-cache.ts';
import { DATA_FOLDER, secureDataFolder } from './data-folder.ts';
import { deleteData } from './delete-data.ts';
import type { DevStackMessage, DevStackOptions } from './dev-stack.ts';
import { startDatabase } from './dynamodb.ts';
import { type FileStore, startFileStore } from './s3.ts';
import type { LocalServer } from './server.ts';
import {
  browserOriginsOf,
  checkPorts,
  explainStartError,
  type Ports,
  parsePorts,
  portChoices,
  START_OPTIONS,
  startHelp,
} from './start-options.ts';
import { onTermination } from './termination.ts';
import { watchFiles } from './watch-files.ts';

/** Node's default port, which debuggers try first. */
const DEBUGGER_PORT = 9229;

const HELP = startHelp(
  `Starts the API like npm start, and restarts it when its source changes. DynamoDB and S3 keep running.

  npm run dev -- [options]`,
  `  --inspect <number>         port for a debugger (default: ${DEBUGGER_PORT})\n`,
);

const ROOT = join(import.meta.dirname, '../..');
const SOURCE_FOLDERS = ['functions', 'shared', 'infra'];
/** Maximum time for requests in progress to complete before a restart, and at the end. */
const RESTART_MS = 1_000;
const END_MS = 3_000;

const servers: LocalServer[] = [];
let fileStore: FileStore | undefined;
let child: ChildProcess | undefined;
let isEnding = false;

onTermination(async () => {
  isEnding = true;
  await stop(END_MS);
  for (const server of servers) await server.close();
  process.exit(0);
});

await runCommand(HELP, async () => {
  const { values } = parseArgs({
    options: { ...START_OPTIONS, inspect: { type: 'string', default: String(DEBUGGER_PORT) } },
  });
  const { inspect, reset, help } = values;
  const { debuggerPort, ...ports } = parsePorts({
    ...portChoices(values),
    debuggerPort: { text: inspect, source: '--inspect' },
  });
  const browserOrigins = browserOriginsOf(values);
  if (help) return console.log(HELP);
  await checkPorts(ports, 'npm run dev');
  await secureDataFolder();
  // By default each restart prints the debugger's address.
  const execArgv = [`--inspect=${debuggerPort}`, '--inspect-publish-uid=http'];
  try {
    if (reset) await deleteData();
    const options = { ports, browserOrigins, ...(await startServers(ports, browserOrigins)) };
    const welcome = await start(options, execArgv);
    if (welcome) console.log(welcome);
    console.log(
      `Restarts when a file in ${SOURCE_FOLDERS.join(', ')} changes. Debugger port: ${debuggerPort}.`,
    );
    watchFiles(
      SOURCE_FOLDERS.map((folder) => join(ROOT, folder)),
      (file) => restart(relative(ROOT, file), options, execArgv),
    );
  } catch (error) {
    // Closing the servers while they start makes the start fail, which is no error.
    if (!isEnding) throw explainStartError(error as Error, ports, 'npm run dev');
  }
});

/** Starts the servers that keep running. */
async function startServers({ dynamodb, s3 }: Ports, browserOrigins: readonly string[]) {
  const database = await startDatabase(dynamodb, DATA_FOLDER);
  servers.push(database);
  fileStore = await startFileStore(s3, DATA_FOLDER, browserOrigins);
  servers.push(fileStore);
  return { dynamodbEndpoint: database.endpoint, s3Endpoint: fileStore.endpoint };
}

/**
 * Starts the process with the rest of the stack.
 *
 * @returns its text for the terminal; undefined if it failed, which it has reported itself.
 * @throws UsageError if the user can correct what failed, such as a port that is in use.
 */
async function start(options: DevStackOptions, execArgv: string[]): Promise<string | undefined> {
  const starting = fork(join(import.meta.dirname, 'dev-stack.ts'), [JSON.stringify(options)], {
    execArgv,
    env: withCompileCache(),
  });
  child = starting;
  starting.once('exit', (code) => {
    if (child !== starting) return;
    child = undefined;
    if (!isEnding)
      console.error(`The API exited with code ${code}. It restarts at the next change.`);
  });
  const [message] = (await Promise.race([
    once(starting, 'message'),
    once(starting, 'exit').then(() => []),
  ])) as [DevStackMessage?];
  if (message && 'usageError' in message) throw new UsageError(message.usageError);
  if (message) fileStore?.allowPage(message.url);
  return message?.welcome;
}

async function restart(file: string, options: DevStackOptions, execArgv: string[]): Promise<void> {
  const from = performance.now();
  await stop(RESTART_MS);
  if (isEnding) return;
  try {
    const isReady = await start(options, execArgv);
    if (isReady) console.log(`Restarted in ${Math.round(performance.now() - from)} ms: ${file}`);
  } catch (error) {
    console.error((error as Error).message);
  }
}

/** Stops the process when its requests in progress have completed, at the latest after this time. */
async function stop(timeoutMs: number): Promise<void> {
  const ending = child;
  if (!ending) return;
  child = undefined;
  const ended = once(ending, 'exit');
  ending.send('end', () => {});
  const timeout = setTimeout(() => ending.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timeout);
}
