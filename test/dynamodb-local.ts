/**
 * Runs the tests on another DynamoDB server than the local one: the one at `DYNAMODB_ENDPOINT`, or else
 * Amazon's DynamoDB Local, in memory. Without arguments it runs all files that use such a server;
 * arguments go to vitest: `npm run test:dynamodb-local -- test/contract/paging.test.ts`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
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
/** After this time the run is ended as failed. */
const LIMIT_MINUTES = 60;

const given = process.env.DYNAMODB_ENDPOINT;
const lacking = given ? [] : missing();
if (lacking.length > 0) {
  console.log(['Skipped: DynamoDB Local needs', ...lacking.map((each) => `- ${each}`)].join('\n'));
  console.log('DYNAMODB_ENDPOINT=<URL> runs the tests on another DynamoDB server.');
} else {
  // Ends the processes that run still.
  process.exit(await run());
}

/** Returns what DynamoDB Local needs and is not there. */
function missing(): string[] {
  const java = javaVersion();
  const isLicensed = existsSync(EMULATOR) || process.env.DYNAMODB_LOCAL_LICENSE === 'accepted';
  return [
    ...(java < MIN_JAVA
      ? [`Java ${MIN_JAVA} or later; there is ${java ? `Java ${java}` : 'no Java'} here.`]
      : []),
    ...(isLicensed
      ? []
      : [
          `that you accept Amazon's licence by DYNAMODB_LOCAL_LICENSE=accepted. It asks for an AWS account in good standing; its text is emulator/LICENSE.txt in the npm package ${PACKAGE} ${VERSION}.`,
        ]),
  ];
}

async function run(): Promise<number> {
  const children: ChildProcess[] = [];
  process.on('exit', () => {
    for (const child of children) child.kill();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  if (given && !(await fetch(given).catch(() => undefined))) {
    console.error(`No server answers at DYNAMODB_ENDPOINT, which is \`${given}\`.`);
    return 1;
  }
  const endpoint = given ?? (await startDynamoDbLocal(children));
  const vitest = startVitest(endpoint);
  children.push(vitest);
  const limit = setTimeout(LIMIT_MINUTES * 60_000, 'limit' as const, { ref: false });
  const ended = await Promise.race([once(vitest, 'exit'), limit]);
  if (ended !== 'limit') return ended[0] ?? 1;
  console.error(`The tests were ended after ${LIMIT_MINUTES} minutes.`);
  return 1;
}

/** Starts DynamoDB Local, and returns its URL. */
async function startDynamoDbLocal(children: ChildProcess[]): Promise<string> {
  if (!existsSync(EMULATOR)) download();
  const port = await freePort();
  const server = startServer(port);
  children.push(server);
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(endpoint, server);
  return endpoint;
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
  const options = ['run', '--config', 'test/vitest.config.ts'];
  const reporters = ['--reporter=default', '--reporter=./test/support/skip-reporter.ts'];
  const sent = process.argv.slice(2);
  const args = [...options, ...reporters, ...(sent.length > 0 ? sent : applicableFiles())];
  return spawn(process.execPath, [vitest, ...args], {
    cwd: ROOT,
    env: { ...environment, DYNAMODB_ENDPOINT: endpoint },
    stdio: 'inherit',
  });
}

/** Returns the test files that use a DynamoDB server, and prints those that can use none but their own. */
function applicableFiles(): string[] {
  const files = globSync('test/{contract,settings,faults,infra}/*.test.ts', { cwd: ROOT })
    .toSorted()
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
  const usesDatabase = (text: string) => /\buseApi\(|\/support\/database\.ts'/.test(text);
  const own = files.filter(({ text }) => !usesDatabase(text) && text.includes("/support/api.ts'"));
  console.log('Left out, since they start, kill or inspect servers of their own:');
  for (const { file } of own) console.log(`- ${file}`);
  return files.filter(({ text }) => usesDatabase(text)).map(({ file }) => file);
}
