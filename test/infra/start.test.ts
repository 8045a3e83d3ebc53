import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  CreateTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { parse as parseCsv } from 'csv-parse/sync';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isUnfinished, unfinishedName } from '../../infra/local/data-folder.ts';
import { startDynamoDb } from '../../infra/local/dynamodb.ts';
import { loadOrCreateKey, signToken } from '../../infra/local/issuer.ts';
import {
  SAMPLE_MERCHANT,
  SAMPLE_NAME,
  sampleCustomers,
} from '../../infra/local/sample-customers.ts';
import { type Client, clientOf, create, eventually } from '../support/api.ts';
import {
  type Command,
  type Ended,
  freePort,
  killAll,
  run,
  whileTaken,
} from '../support/command.ts';
import { sharedKey } from '../support/shared-key.ts';

// The two commands of a newcomer, `npm start` and `npm run token`, as their user sees them.

/** A running `npm start`. */
interface Started {
  readonly command: Command;
  readonly folder: string;
  /** All that it says once it is ready. */
  readonly welcome: string;
  readonly url: string;
  /** Has the token that it prints. */
  readonly client: Client;
}

const PORT_FLAGS = ['--port', '--issuer-port', '--dynamodb-port', '--s3-port'] as const;
type Ports = Partial<Record<(typeof PORT_FLAGS)[number], number>>;

const SAMPLES = sampleCustomers().length;
const OTHER_MERCHANT = '2002';
const LAST_LINE = 'Press Ctrl-C to stop.';
/** What a user who waits for an end can be asked for. */
const END_MS = 5_000;

/** All that the tests write. */
let temporary: string;
let folders = 0;
let stack: Started;
/** Of the stack, in all its lives: tokens name the issuer's address, so that it has to stay. */
let ports: Required<Ports>;
/** Printed before the stack's first start. */
let earlyToken: string;

// A deployed API, or another DynamoDB, is not what these commands start.
describe.skipIf(process.env.API_URL || process.env.DYNAMODB_ENDPOINT)('the commands', () => {
  beforeAll(async () => {
    // The space is for what forgets to quote.
    temporary = mkdtempSync(join(tmpdir(), 'local start-'));
    const folder = newFolder();
    ports = {
      '--port': await freePort(),
      '--issuer-port': await freePort(),
      '--dynamodb-port': await freePort(),
      '--s3-port': await freePort(),
    };
    earlyToken = await printedToken(folder, [], { ISSUER_PORT: String(ports['--issuer-port']) });
    stack = await start(folder, ports);
  });

  afterAll(async () => {
    await killAll();
    rmSync(temporary, { recursive: true });
  });

  describe('the first start', () => {
    test('says where the API, its reference, the page for persons and its data are', async () => {
      const { welcome, url, folder } = stack;
      expect(welcome).toMatch(/^API {2,}http:\/\/localhost:\d+$/m);
      expect(welcome).toContain(`${url}/docs\n`);
      expect(welcome).toContain(`${url}/app (`);
      expect(welcome).toContain(folder);
      const page = await fetch(url);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(await page.text()).toMatch(/<script src="\/docs\/reference-\w+\.js">/);
    });

    test('prints a token with which the sample merchant has a few hundred customers', async () => {
      expect(SAMPLES).toBeGreaterThanOrEqual(200);
      expect(await countOf(stack.client)).toBe(SAMPLES);
      const { email } = sampleCustomers()[0] ?? {};
      const found = await withAddress(stack.client, email ?? '');
      expect(found).toContainEqual(expect.objectContaining({ email, name: SAMPLE_NAME }));
    });

    test('prints three curl lines that work as they are pasted', async ({ skip }) => {
      const hasCurl = !spawnSync('curl', ['--version']).error;
      skip(!hasCurl, 'there is no curl on this machine');
      const lines = curlLines(stack);
      expect(lines).toHaveLength(3);
      const cwd = newFolder();
      const [list, found] = lines.map((line) =>
        execFileSync('sh', ['-c', line], { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 90_000 }),
      );
      expect(JSON.parse(list as string)).toHaveLength(3);
      expect(namesOf(JSON.parse(found as string))).toContain(SAMPLE_NAME);
      const csv = readFileSync(join(cwd, 'customers.csv'), 'utf8');
      const records = parseCsv<{ name: string }>(csv, { columns: true, bom: true });
      expect(records).toHaveLength(SAMPLES);
      expect(namesOf(records)).toContain(SAMPLE_NAME);
    });

    test('keeps the token in a header file, for its owner only', () => {
      const file = join(stack.folder, 'authorization');
      expect(readFileSync(file, 'utf8')).toBe(`Authorization: Bearer ${stack.client.token}\n`);
      for (const line of curlLines(stack)) expect(line).toContain(`-H "@${file}"`);
      if (process.platform !== 'win32') expect(statSync(file).mode & 0o077).toBe(0);
    });
  });

  describe.skipIf(process.platform === 'win32')('the data', () => {
    test('can be read by its owner only: files have the mode 0600, folders 0700', async () => {
      // An export creates the first object.
      const { status } = await stack.client.call('GET', '/customers/export/csv');
      expect(status).toBe(200);
      const modes = modesIn(stack.folder);
      expect(Object.keys(modes)).toEqual(
        expect.arrayContaining(['authorization', 's3', 'dynamodb']),
      );
      expect(
        Object.entries(modes).filter(([, mode]) => !/^(?:file 600|folder 700)$/.test(mode)),
      ).toEqual([]);
    });

    test('is in a folder of the mode 0700, if the command creates it', async () => {
      const folder = join(newFolder(), 'data');
      await printedToken(folder);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(modesIn(folder)).toEqual({ 'issuer-key.json': 'file 600' });
    });
  });

  describe.concurrent('npm run token', () => {
    test('prints a token alone, for the sample merchant where none is named', async () => {
      const { code, out, err } = await token(stack.folder).ended();
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      expect(await countOf(clientOf(stack.url, out.trim()))).toBe(SAMPLES);
    });

    test('gives another merchant an empty register', async () => {
      const client = await clientWith('--merchant', 'someone-new');
      expect(await client.call('GET', '/customers')).toMatchObject({ status: 200, body: [] });
      await create(client, { name: 'A' });
      expect(await countOf(client)).toBe(1);
      expect(await countOf(stack.client)).toBe(SAMPLES);
    });

    test('gives no more than the scope it is asked for', async () => {
      const reader = await clientWith('--scope', 'customers:read');
      expect(await countOf(reader)).toBe(SAMPLES);
      const body = { name: 'A' };
      expect(await reader.call('POST', '/customers', { body })).toMatchObject({ status: 403 });
      expect(await countOf(stack.client)).toBe(SAMPLES);
      const both = await clientWith('--merchant', 'b', '--scope', 'customers:read customers:write');
      await create(both, body);
      expect(await countOf(both)).toBe(1);
    });

    test('gives a token that is refused once it has expired', async () => {
      const lasting = await clientWith('--expires', '600');
      const brief = await clientWith('--expires', '1');
      await eventually(async () => {
        expect(await brief.call('GET', '/customers/count')).toMatchObject({ status: 401 });
      });
      expect(await countOf(lasting)).toBe(SAMPLES);
    });

    test('gives before the first start what that takes', async () => {
      expect(await countOf(clientOf(stack.url, earlyToken))).toBe(SAMPLES);
    });

    test.each(['0', '-5', '1h', '9999999999'])(
      'says that --expires=%s is no time',
      async (text) => {
        expectRefusal(await token(newFolder(), `--expires=${text}`).ended(), '--expires', text);
      },
    );

    test('says what it does not know, and how it is used', async () => {
      expectRefusal(await token(newFolder(), '--expire', '5').ended(), "'--expire'", '--expires <');
    });

    test('shows with --help how it is used', async () => {
      expectHelp(await token(newFolder(), '--help').ended(), '--merchant', '--scope', '--expires');
    });
  });

  describe('another start', () => {
    let before: Started;
    let other: Client;
    let id: number;
    let ending: Ending;
    beforeAll(async () => {
      before = stack;
      other = await clientFor(OTHER_MERCHANT);
      ({ mexcParamvaluesetsid: id } = await create(other, { name: 'Åsa' }));
      ending = await endAmidRequests('SIGINT');
      // As an earlier version left it.
      for (const path of pathsIn(stack.folder)) {
        chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
      }
      stack = await start(stack.folder, ports);
    });

    test('follows an end by SIGINT amid requests, which is no failure and leaves the ports to others', () =>
      expectEnd(ending));

    test('goes on with data, key and issuer', async () => {
      const after = clientOf(stack.url, other.token);
      expect(await after.call('GET', `/customers/${id}`)).toMatchObject({
        status: 200,
        body: { name: 'Åsa' },
      });
      expect(await countOf(clientOf(stack.url, before.client.token))).toBe(SAMPLES);
      expect(await countOf(stack.client)).toBe(SAMPLES);
    });

    test.skipIf(process.platform === 'win32')(
      'closes to others the data that an earlier version left open',
      () => {
        const [folder, ...paths] = pathsIn(stack.folder);
        for (const path of paths) {
          expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
        }
        // The user may have chosen a folder that has other files for others.
        expect(statSync(folder as string).mode & 0o777).toBe(0o755);
      },
    );

    test('goes on with what was acknowledged before it was killed', async () => {
      const client = await clientFor(OTHER_MERCHANT);
      const { mexcParamvaluesetsid: id } = await create(client, { name: 'A' });
      const path = `/customers/${id}`;
      const { body } = await client.call('PATCH', path, { body: { name: 'B', fax: '1' } });
      stack.command.process.kill('SIGKILL');
      expect(await stack.command.ended()).toMatchObject({ signal: 'SIGKILL' });
      stack = await start(stack.folder, ports);
      const after = clientOf(stack.url, client.token);
      expect(await after.call('GET', path)).toMatchObject({ status: 200, body });
      expect(await countOf(stack.client)).toBe(SAMPLES);
    });

    test('makes up for starts that were ended before they were ready', async () => {
      const [api, issuer] = [await freePort(), await freePort()];
      const own = { '--port': api, '--issuer-port': issuer };
      const { folder } = await interruptedStart(portArgs(own), {
        // Its first act.
        file: 'issuer-key.json',
        signal: 'SIGINT',
        isInterrupted: ({ out }) => out === '',
        expected: { code: 0, err: '' },
      });

      const second = run('start', portArgs(own), { DATA_FOLDER: folder });
      const client = await clientFor(SAMPLE_MERCHANT, {
        folder,
        url: `http://localhost:${api}`,
        issuer: `http://127.0.0.1:${issuer}`,
      });
      await eventually(async () => expect(await countOf(client)).toBeGreaterThan(0));
      second.process.kill('SIGTERM');
      expect(await second.ended(END_MS)).toMatchObject({ code: 0, err: '' });

      // As if the second had been ended before it knew that it has created all sample customers.
      rmSync(join(folder, 'sample-customers-created'), { force: true });
      const third = await start(folder);
      expect(await countOf(third.client)).toBe(SAMPLES);
      await end(third);
    });
  });

  describe('--customers', () => {
    /** So many that the start is killed before it has added all. */
    const FIRST_ID = 3_000;
    const LATER_ID = 3_200;
    let folder: string;
    /** The start after an interrupted one, and the customers that there were. */
    let next: Started;
    let count: number;
    beforeAll(async () => {
      const file = 'customers-to-add';
      ({ folder } = await interruptedStart([...portArgs({}), `--customers=${FIRST_ID}`], {
        file,
        signal: 'SIGKILL',
        isInterrupted: (_, data) => existsSync(join(data, file)),
        key: sharedKey(),
      }));
      next = await start(folder);
      count = await countOf(next.client);
      await end(next);
    });

    test('adds at the next start what an interrupted one has not', async () => {
      expect(next.welcome).toContain(
        `Added ${(FIRST_ID - SAMPLES).toLocaleString('en')} customers`,
      );
      expect(count).toBe(FIRST_ID);
      const after = await start(folder);
      expect(after.welcome).not.toContain('Added');
      await end(after);
    });

    test('adds customers up to an id, once, and more if a later start asks for more', async () => {
      const first = await start(folder, {}, [`--customers=${LATER_ID}`]);
      expect(first.welcome).toContain(`Added ${LATER_ID - FIRST_ID} customers`);
      expect(await countOf(first.client)).toBe(LATER_ID);
      const { body } = await first.client.call('GET', `/customers?start=${FIRST_ID}&limit=1000`);
      expect(body).toHaveLength(LATER_ID - FIRST_ID);
      expect(new Set(namesOf(body)).size).toBeGreaterThan(150);
      const customerid = String(10_000 + LATER_ID);
      expect(body.at(-1)).toMatchObject({ mexcParamvaluesetsid: LATER_ID, customerid });
      // The table and its indexes have the same customers.
      const found = await first.client.call('GET', `/customers?customerid=${customerid}`);
      expect(found.body).toEqual([body.at(-1)]);
      const known = body.findLast((customer: { email: string }) => customer.email !== '');
      expect(await withAddress(first.client, known.email)).toContainEqual(known);
      expect(await create(first.client, { name: 'A' })).toMatchObject({
        mexcParamvaluesetsid: LATER_ID + 1,
      });
      await end(first);

      const second = await start(folder, {}, ['--customers', String(LATER_ID)]);
      expect(second.welcome).toContain('Added none');
      expect(await countOf(second.client)).toBe(LATER_ID + 1);
      await end(second);
    });

    test.each(['0', '1000001', 'many', '1e3'])(
      'says that %s is no number of customers',
      async (text) => {
        const ended = await run('start', [`--customers=${text}`], {
          DATA_FOLDER: newFolder(),
        }).ended();
        expectRefusal(ended, `--customers must be an integer from 1 to 1000000; got \`${text}\`.`);
      },
    );
  });

  test('an end by SIGTERM amid requests is no failure, and leaves the ports to others', async () => {
    const ending = await endAmidRequests('SIGTERM');
    stack = await start(stack.folder, ports);
    await expectEnd(ending);
  });

  test.skipIf(process.platform === 'win32')(
    'it ends with npm, also where a signal reaches npm alone',
    async () => {
      const port = await freePort();
      const folder = newFolder(sharedKey());
      // It says that there are sample customers, which takes most of a first start.
      writeFileSync(join(folder, 'sample-customers-created'), '');
      const args = ['start', '--silent', '--', ...portArgs({ '--port': port })];
      const npm = spawn('npm', args, {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, DATA_FOLDER: folder },
        stdio: 'ignore',
      });
      await eventually(async () => {
        expect((await fetch(`http://localhost:${port}/customers`)).status).toBe(401);
      });
      npm.kill('SIGTERM');
      await eventually(() => whileTaken(port, async () => {}));
    },
  );

  describe.concurrent('a start that cannot be', () => {
    test.each(PORT_FLAGS)(
      'says that the port is taken, perhaps by another one to stop, and that %s chooses another',
      async (flag) => {
        const port = await freePort();
        const ended = await whileTaken(port, () => tryToStart(newFolder(), { [flag]: port }));
        expectRefusal(ended, `Port ${port}`, 'already in use', 'stop it', `npm start -- ${flag} `);
      },
    );

    test('says of all ports that are taken which they are, and chooses others', async () => {
      const [api, s3] = [await freePort(), await freePort()];
      const ended = await whileTaken(api, () =>
        whileTaken(s3, () => tryToStart(newFolder(), { '--port': api, '--s3-port': s3 })),
      );
      expectRefusal(
        ended,
        `Port ${api} of the API and port ${s3} of S3 are already in use.`,
        `npm start -- --port ${api + 100} --s3-port ${s3 + 100}`,
      );
    });

    test('proposes only a port that there is', async () => {
      const port = await freePort({ first: 65_436, count: 100 });
      const { err } = await whileTaken(port, () => tryToStart(newFolder(), { '--port': port }));
      expect(Number(/--port (\d+)$/m.exec(err)?.[1])).toBeLessThan(65_536);
    });

    test.each([[[]], [['--reset']]])(
      'says that another one uses the data, and leaves it be: %j',
      async (args) => {
        const { folder, client } = stack;
        expectRefusal(await tryToStart(folder, {}, args), folder, 'Another', 'npm start');
        expect(await countOf(client)).toBe(SAMPLES);
        expect(await countOf(await clientFor(SAMPLE_MERCHANT))).toBe(SAMPLES);
      },
    );

    test.each([
      ['other keys', { keys: ['merchant', 'id'], index: ['customerIndex', 'd'] }],
      ['another index', { keys: ['pk', 'sk'], index: ['directory', 'd'] }],
    ] as const)(
      'says that the table is of an older version with %s, which --reset replaces',
      async (_, { keys, index: [index, sortKey] }) => {
        const folder = newFolder(sharedKey());
        await createOldTable(folder, keys, index, sortKey);
        const ended = await tryToStart(folder, {});
        expectRefusal(ended, folder, 'older version', keys[0], index, 'npm start -- --reset');
        expect(await tablesIn(folder)).toEqual(['customers']);

        const after = await start(folder, {}, ['--reset']);
        expect(await countOf(after.client)).toBe(SAMPLES);
        await end(after);
      },
    );

    test('says of an origin of pages what would be one', async () => {
      const args = ['--browser-origin=*', '--browser-origin=https://example.com/'];
      expectRefusal(
        await tryToStart(newFolder(), {}, args),
        '--browser-origin must be an origin, such as http://localhost:5173; got `*`, `https://example.com/`.',
      );
    });

    test('says of each port whether it is one, and which option or variable has it', async () => {
      const environment = { DATA_FOLDER: newFolder(), S3_PORT: '65536' };
      const args = ['--port=x', '--issuer-port=-1', '--dynamodb-port=1e3'];
      const range = 'must be a port from 0 to 65535; got';
      expectRefusal(
        await run('start', args, environment).ended(),
        [
          `--port ${range} \`x\`.`,
          `--issuer-port ${range} \`-1\`.`,
          `--dynamodb-port ${range} \`1e3\`.`,
          `S3_PORT ${range} \`65536\`.\n`,
        ].join('\n'),
      );
    });

    test('says of each port that two servers would have who they are', async () => {
      const args = ['--s3-port', '3001', '--port', '4000'];
      const environment = { DATA_FOLDER: newFolder(), ISSUER_PORT: '3001', DYNAMODB_PORT: '4000' };
      expectRefusal(
        await run('start', args, environment).ended(),
        '--port and DYNAMODB_PORT are both 4000; choose different ports.\n' +
          'ISSUER_PORT and --s3-port are both 3001; choose different ports.\n',
      );
    });

    test.each([['--prot', '3000'], ['--port'], ['3000']])(
      'says what is wrong with %s, and how it is used',
      async (...args) => {
        const ended = await run('start', args, { DATA_FOLDER: newFolder() }).ended();
        expectRefusal(ended, `'${args[0]}`, ...PORT_FLAGS, '--reset', '--help');
      },
    );
  });

  test('--help shows how it is used, and does nothing else', async () => {
    const folder = newFolder();
    // Some environments have a PORT that is empty.
    const ended = await run('start', ['--help'], { DATA_FOLDER: folder, PORT: '' }).ended();
    expectHelp(ended, ...PORT_FLAGS, '--reset', 'DATA_FOLDER');
    expect(readdirSync(folder)).toEqual([]);
  });

  // Last, for it leaves nothing of what the other tests know.
  test('--reset begins again, here with any free ports', async () => {
    const { folder, client } = stack;
    const { mexcParamvaluesetsid: id } = await create(client, { name: 'A' });
    const foreign = join(folder, 'notes.txt');
    writeFileSync(foreign, 'of someone who chose a folder that has more in it');
    await end(stack);
    const unfinished = join(folder, unfinishedName('issuer-key.json'));
    writeFileSync(unfinished, 'of a start that was killed');
    stack = await start(folder, {}, ['--reset']);
    expect(existsSync(unfinished)).toBe(false);
    expect(await stack.client.call('GET', `/customers/${id}`)).toMatchObject({ status: 404 });
    expect(await countOf(stack.client)).toBe(SAMPLES);
    expect(await countOf(await clientWith())).toBe(SAMPLES);
    const before = await clientOf(stack.url, client.token).call('GET', '/customers');
    expect(before).toMatchObject({ status: 401 });
    expect(existsSync(foreign)).toBe(true);
    await end(stack);
  });
});

/**
 * Creates a data folder.
 *
 * @param key key of the issuer, which a start creates otherwise.
 */
function newFolder(key?: JWK): string {
  folders += 1;
  const folder = join(temporary, String(folders));
  mkdirSync(folder);
  if (key) writeFileSync(join(folder, 'issuer-key.json'), JSON.stringify(key));
  return folder;
}

/** Returns the paths of a folder and of what is in it, but for files that are being written. */
function pathsIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => !isUnfinished(name));
  return [folder, ...names.map((name) => join(folder, name))];
}

/** Returns the kind and mode of everything in a folder, by its path. */
function modesIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    paths.flatMap((path) => {
      // A file that is being written gets its name when it is whole.
      const stats = statSync(join(folder, path), { throwIfNoEntry: false });
      const kind = stats?.isDirectory() ? 'folder' : 'file';
      return stats ? [[path, `${kind} ${(stats.mode & 0o777).toString(8)}`]] : [];
    }),
  );
}

/** Creates the table in a data folder, with the keys and the index of an older version. */
async function createOldTable(
  folder: string,
  [partition, sort]: readonly [string, string],
  index: string,
  sortKey: string,
): Promise<void> {
  const hash = { AttributeName: partition, KeyType: 'HASH' } as const;
  await withDatabase(folder, async (client) => {
    await client.send(
      new CreateTableCommand({
        TableName: 'customers',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [hash, { AttributeName: sort, KeyType: 'RANGE' }],
        AttributeDefinitions: [
          { AttributeName: partition, AttributeType: 'S' },
          { AttributeName: sort, AttributeType: 'S' },
          { AttributeName: sortKey, AttributeType: 'N' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: index,
            KeySchema: [hash, { AttributeName: sortKey, KeyType: 'RANGE' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    );
    await waitUntilTableExists(
      { client, maxWaitTime: 60, minDelay: 0.05 },
      { TableName: 'customers' },
    );
  });
}

async function tablesIn(folder: string): Promise<string[] | undefined> {
  const { TableNames } = await withDatabase(folder, (client) =>
    client.send(new ListTablesCommand({})),
  );
  return TableNames;
}

/** Calls `use` with a client of the DynamoDB server of a data folder that is not in use. */
async function withDatabase<T>(
  folder: string,
  use: (client: DynamoDBClient) => Promise<T>,
): Promise<T> {
  const server = await startDynamoDb({ port: 0, path: join(folder, 'dynamodb') });
  const client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    return await use(client);
  } finally {
    client.destroy();
    await server.close();
  }
}

/** Any free port where none is given. */
function portArgs(ports: Ports): string[] {
  return PORT_FLAGS.flatMap((flag) => [flag, String(ports[flag] ?? 0)]);
}

async function start(folder: string, ports: Ports = {}, args: string[] = []): Promise<Started> {
  const command = run('start', [...args, ...portArgs(ports)], { DATA_FOLDER: folder });
  const welcome = await command.said(LAST_LINE);
  const url = /^API +(\S+)$/m.exec(welcome)?.[1] ?? '';
  const printed = /^[\w-]+\.[\w-]+\.[\w-]+$/m.exec(welcome)?.[0] ?? '';
  return { command, folder, welcome, url, client: clientOf(url, printed) };
}

interface Interruption {
  /** File of the data folder at which the start is ended. */
  readonly file: string;
  readonly signal: NodeJS.Signals;
  /** Returns whether it was ended in time. */
  readonly isInterrupted: (ended: Ended, folder: string) => boolean;
  /** What its end is expected to be, in time or not. */
  readonly expected?: Partial<Ended>;
  readonly key?: JWK;
}

/**
 * Ends a start in a new folder before it is ready; returns the folder. On a busy machine a start can be
 * ready before this process has seen the file: then it takes another folder.
 */
async function interruptedStart(
  args: string[],
  { file, signal, isInterrupted, expected = {}, key }: Interruption,
): Promise<{ folder: string }> {
  for (let left = 20; left > 0; left -= 1) {
    const folder = newFolder(key);
    const command = run('start', args, { DATA_FOLDER: folder });
    const isReady = command.said(LAST_LINE).then(() => true);
    isReady.catch(() => {});
    const isThere = () => existsSync(join(folder, file));
    while (!isThere() && !(await Promise.race([isReady, setTimeout(10)])));
    command.process.kill(signal);
    const ended = await command.ended(END_MS);
    expect(ended).toMatchObject(expected);
    if (isInterrupted(ended, folder)) return { folder };
  }
  throw new Error(`Each start was ready before it was ended at ${file}.`);
}

async function end({ command }: Started): Promise<void> {
  command.process.kill('SIGINT');
  expect(await command.ended()).toMatchObject({ code: 0, err: '' });
}

/** How the stack has ended amid requests of a client. */
interface Ending {
  readonly client: Client;
  readonly ended: Ended;
  readonly freePorts: readonly number[];
}

async function endAmidRequests(signal: NodeJS.Signals): Promise<Ending> {
  const { command } = stack;
  const client = await clientFor(OTHER_MERCHANT);
  const requests = Array.from({ length: 20 }, () => create(client, { name: 'A' }));
  const answers = Promise.allSettled(requests);
  // One is answered, many are under way.
  await Promise.race(requests);
  command.process.kill(signal);
  // As npm does, which passes on what the terminal sends to both.
  command.process.kill(signal);
  const ended = await command.ended(END_MS);
  await answers;
  const freePorts: number[] = [];
  for (const port of Object.values(ports)) {
    await whileTaken(port, async () => freePorts.push(port)).catch(() => {});
  }
  return { client, ended, freePorts };
}

/** Expects that an end was no failure, after another start. */
async function expectEnd({ client, ended, freePorts }: Ending): Promise<void> {
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(freePorts).toEqual(Object.values(ports));
  // The count is of the index, the list of the table: nobody is in one of them only.
  const { body } = await client.call('GET', '/customers?limit=1000');
  expect(await countOf(client)).toBe(body.length);
}

/** A start that is to end of itself. */
function tryToStart(folder: string, ports: Ports, args: string[] = []): Promise<Ended> {
  return run('start', [...args, ...portArgs(ports)], { DATA_FOLDER: folder }).ended();
}

function token(folder: string, ...args: string[]): Command {
  return run('token', args, { DATA_FOLDER: folder });
}

async function printedToken(
  folder: string,
  args: string[] = [],
  environment: Record<string, string> = {},
): Promise<string> {
  const ended = await run('token', args, { DATA_FOLDER: folder, ...environment }).ended();
  expect(ended).toMatchObject({ code: 0, err: '' });
  return ended.out.trim();
}

/** A client of a stack, the running one if none is given, without a command for its token. */
async function clientFor(
  merchant: string,
  { folder, url, issuer }: Pick<Started, 'folder' | 'url'> & { readonly issuer?: string } = stack,
): Promise<Client> {
  const stated = issuer ?? readFileSync(join(folder, 'issuer'), 'utf8');
  return clientOf(url, await signToken(await loadOrCreateKey(folder), stated, { merchant }));
}

/** A client of the running stack, with a token made with these arguments. */
async function clientWith(...args: string[]): Promise<Client> {
  return clientOf(stack.url, await printedToken(stack.folder, args));
}

async function countOf(client: Client): Promise<number> {
  const { status, body } = await client.call('GET', '/customers/count');
  expect(status).toBe(200);
  return body.count;
}

/** Returns the customers with an e-mail address, which its index finds. */
async function withAddress(client: Client, email: string) {
  const { body } = await client.call('GET', `/customers?email=${encodeURIComponent(email)}`);
  return body;
}

function curlLines({ welcome }: Started): string[] {
  return [...welcome.matchAll(/^ +(curl .*)$/gm)].map(([, line]) => line as string);
}

function namesOf(records: { name: string }[]): string[] {
  return records.map(({ name }) => name);
}

/** The user is told what is wrong, and no more than that. */
function expectRefusal({ code, out, err }: Ended, ...parts: string[]): void {
  expect({ code, out }).toEqual({ code: 1, out: '' });
  for (const part of parts) expect(err).toContain(part);
  expect(err).not.toMatch(/^ +at |node:|Error:/m);
}

function expectHelp({ code, out, err }: Ended, ...parts: string[]): void {
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const part of parts) expect(out).toContain(part);
}
