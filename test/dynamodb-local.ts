/**
 * Runs the suite against Amazon's own DynamoDB Local, in memory, in place of dynalite. Needs Java
 * 17 or later. Arguments go to vitest: `npm run test:dynamodb-local -- test/contract/paging.test.ts`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const MIN_JAVA = 17;
/** The npm package that carries DynamoDB Local. No dependency: few need it, and it is large. */
const PACKAGE = 'amplify-dynamodb-simulator';
const VERSION = '2.9.30';
const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, '.local', 'dynamodb-local');
const EMULATOR = join(FOLDER, VERSION, 'emulator');
const START_TIMEOUT_MS = 30_000;

const java = javaVersion();
if (java < MIN_JAVA) {
  const found = java ? `Java ${java}` : 'no Java';
  console.log(`Skipped: DynamoDB Local needs Java ${MIN_JAVA} or later; there is ${found} here.`);
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  if (!existsSync(EMULATOR)) download();
  const children: ChildProcess[] = [];
  process.on('exit', () => {
    for (const child of children) child.kill();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const port = await freePort();
  const server = startServer(port);
  children.push(server);
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(endpoint, server);
  const vitest = startVitest(endpoint);
  children.push(vitest);
  const [code] = await once(vitest, 'exit');
  server.kill();
  return code ?? 1;
}

/** Major version of the Java on this machine; 0 where there is none. */
function javaVersion(): number {
  // Java tells its version on standard error; up to 8 it called itself 1.8.
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(stderr?.match(/version "(?:1\.)?(\d+)/)?.[1] ?? 0);
}

/** Fetches the package aside and moves it into place whole, so that a broken try leaves nothing. */
function download(): void {
  console.log(`Fetching DynamoDB Local (${PACKAGE} ${VERSION}, 55 MB) …`);
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'download-'));
  try {
    execFileSync('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent'], {
      cwd: folder,
      // On Windows npm is a script, which only a shell runs.
      shell: process.platform === 'win32',
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    execFileSync('tar', ['-xzf', `${PACKAGE}-${VERSION}.tgz`], { cwd: folder });
    renameSync(join(folder, 'package'), join(FOLDER, VERSION));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('There is no free port.');
  return address.port;
}

function startServer(port: number): ChildProcess {
  const options = ['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)];
  return spawn(
    'java',
    ['-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar', ...options],
    { cwd: EMULATOR, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** Waits until the server answers anything at all. */
async function answers(endpoint: string, server: ChildProcess): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  while (!(await fetch(endpoint).catch(() => undefined))) {
    if (server.exitCode !== null) throw new Error('DynamoDB Local has ended; see above.');
    if (Date.now() > end) throw new Error('DynamoDB Local does not answer.');
    await setTimeout(100);
  }
}

function startVitest(endpoint: string): ChildProcess {
  // A deployed API that the environment names would be tested instead.
  const { API_URL, ...environment } = process.env;
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)];
  return spawn(process.execPath, [vitest, ...args], {
    cwd: ROOT,
    env: { ...environment, DYNAMODB_ENDPOINT: endpoint },
    stdio: 'inherit',
  });
}
