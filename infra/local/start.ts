import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CAPACITY } from '../capacity.ts';
import { CONTENTS, DATA_FOLDER, keep } from './data-folder.ts';
import { DataInUseError, startDynamoDb } from './dynamodb.ts';
import { ISSUER_FILE, ISSUER_PORT } from './issuer.ts';
import { SAMPLE_MERCHANT, SAMPLE_NAME } from './sample-customers.ts';
import { createSampleCustomers } from './seed.ts';
import { HOST } from './server.ts';
import { type LocalStack, type ServerName, startLocalStack } from './stack.ts';
import { orExplain, UsageError } from './usage.ts';

/** Where each server listens, and how to have it elsewhere. */
const PORTS = {
  api: { what: 'the API', flag: 'port', variable: 'PORT', usual: 3000 },
  issuer: {
    what: 'the token issuer',
    flag: 'issuer-port',
    variable: 'ISSUER_PORT',
    usual: ISSUER_PORT,
  },
  dynamodb: { what: 'DynamoDB', flag: 'dynamodb-port', variable: 'DYNAMODB_PORT', usual: 3002 },
  s3: { what: 'S3', flag: 's3-port', variable: 'S3_PORT', usual: 3003 },
} as const satisfies Record<ServerName, object>;

type Ports = Record<ServerName, number>;
const SERVERS = Object.keys(PORTS) as ServerName[];
const LAST_PORT = 65_535;
/** What a server fails with that cannot listen. */
type ListenError = NodeJS.ErrnoException & { port?: number };

const HELP = `Starts the API and all it needs on this machine.

  npm start -- [options]

${Object.values(PORTS)
  .map(({ flag, what, usual, variable }) =>
    `  --${flag} <number>`.padEnd(28).concat(`port of ${what}; else ${variable}, else ${usual}`),
  )
  .join('\n')}
  --reset                   forgets all data and begins again with the sample customers
  --help                    shows this

Its data is in the folder that the variable DATA_FOLDER names, else in .local.
`;

/** The sample customers come from this service and module of the merchant. */
const SAMPLE_USER = { merchant: SAMPLE_MERCHANT, mm3servicesid: 1001, mexcModulesid: 12 };

const PARENT_CHECK_MS = 500;
/** How long requests that are under way may take to be done. */
const END_MS = 3_000;

let stack: LocalStack | undefined;
let ending: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM']) {
  // npm passes signals on, so that one may arrive twice.
  process.on(signal, () => {
    ending ??= end();
  });
}

if (process.env.npm_lifecycle_event) {
  const npm = process.ppid;
  // A signal that reaches npm alone ends npm, or its shell, and does not come here.
  setInterval(() => {
    if (process.ppid !== npm) ending ??= end();
  }, PARENT_CHECK_MS).unref();
}

await orExplain(HELP, async () => {
  const { ports, reset, help } = options();
  if (help) return console.log(HELP);
  try {
    if (reset) await forget();
    await run(ports);
  } catch (error) {
    // Whatever fails while the servers end is no failure.
    if (!ending) throw explained(error as ListenError, ports);
  }
});

async function run(ports: Ports): Promise<void> {
  stack = await startLocalStack({
    ports,
    dataFolder: DATA_FOLDER,
    explorer: SAMPLE_USER,
    capacity: CAPACITY,
  });
  await keep(DATA_FOLDER, ISSUER_FILE, stack.issuer);
  const token = await stack.token(SAMPLE_USER);
  await createSampleCustomers(DATA_FOLDER, stack.url, token);
  const header = await keep(DATA_FOLDER, 'authorization', `Authorization: Bearer ${token}\n`);
  console.log(welcome(stack, token, header));
}

async function end(): Promise<void> {
  await Promise.race([stack?.close(), wait(END_MS)]);
  process.exit(0);
}

function options() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      'issuer-port': { type: 'string' },
      'dynamodb-port': { type: 'string' },
      's3-port': { type: 'string' },
      reset: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const ports = SERVERS.map((server) => {
    const { flag, variable, usual } = PORTS[server];
    const text = values[flag] ?? (process.env[variable] || String(usual));
    const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= LAST_PORT)) {
      const source = values[flag] === undefined ? variable : `--${flag}`;
      throw new UsageError(`${source}: ${text} is no port number.`);
    }
    return [server, port];
  });
  return { ...values, ports: Object.fromEntries(ports) as Ports };
}

/** Deletes the data, unless another process uses it; the folder may have more in it. */
async function forget(): Promise<void> {
  const owner = await startDynamoDb({ port: 0, path: join(DATA_FOLDER, 'dynamodb') });
  await owner.close();
  for (const name of CONTENTS) {
    await rm(join(DATA_FOLDER, name), { recursive: true, force: true });
  }
}

/** Failures that the user can put right, with what to do. */
function explained(error: ListenError, ports: Ports): Error {
  if (error instanceof DataInUseError) {
    return new UsageError(`${error.message}
Probably another npm start runs: end that one first. If none does, the data is damaged: delete
${DATA_FOLDER} to begin again.`);
  }
  const { port, code } = error;
  const server = SERVERS.find((name) => ports[name] === port);
  if (!port || !server) return error;
  const { what, flag } = PORTS[server];
  const reason =
    code === 'EADDRINUSE' ? 'is taken, perhaps by another npm start' : `cannot be used (${code})`;
  const other = port + 100 > LAST_PORT ? port - 100 : port + 100;
  return new UsageError(`Port ${port}, for ${what}, ${reason}. Choose another one with --${flag}:

  npm start -- --${flag} ${other}`);
}

function welcome({ url }: LocalStack, token: string, headerFile: string): string {
  const api = url.replace(HOST, 'localhost');
  const curl = `curl -H "@${headerFile}"`;
  return `
The API      ${api}
to explore   ${api}/
its data     ${DATA_FOLDER} (npm start -- --reset begins again)

A token of merchant ${SAMPLE_MERCHANT} with all rights, for 12 hours (npm run token makes others):

${token}

To begin with (the same token is in that file):

  ${curl} "${api}/customers?limit=3"
  ${curl} -G "${api}/customers" -d filter=search --data-urlencode "search=${SAMPLE_NAME}"
  ${curl} -H "Accept: text/csv" -L -o customers.csv "${api}/customers/export/csv"

Ctrl-C ends it.`;
}
