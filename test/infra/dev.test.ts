import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../infra/local/issuer.ts';
import { sampleCustomers } from '../../infra/local/sample-customers.ts';
import { HOST } from '../../infra/local/server.ts';
import { watchFiles } from '../../infra/local/watch-files.ts';
import manifest from '../../package.json' with { type: 'json' };
import { type Client, clientOf, create, eventually } from '../support/api.ts';
import { type Command, freePort, killAll, run } from '../support/command.ts';
import { sharedKey } from '../support/shared-key.ts';

const ROOT = join(import.meta.dirname, '../..');
const HANDLER = join(ROOT, 'functions/get-customer/handler.ts');
const OTHER_MERCHANT = '2002';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dev-'));
});

afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.env.API_URL || process.env.DYNAMODB_ENDPOINT)('npm run dev', () => {
  let command: Command;
  let debuggerPort: number;
  let client: Client;
  let otherClient: Client;

  beforeAll(async () => {
    const ports = { api: await freePort(), issuer: await freePort() };
    debuggerPort = await freePort();
    const environment = { DATA_FOLDER: join(folder, 'data') };
    mkdirSync(environment.DATA_FOLDER);
    writeFileSync(join(environment.DATA_FOLDER, 'issuer-key.json'), JSON.stringify(sharedKey()));
    const portArgs = [`--port=${ports.api}`, `--issuer-port=${ports.issuer}`];
    command = run(
      'dev',
      [...portArgs, '--dynamodb-port=0', '--s3-port=0', `--inspect=${debuggerPort}`],
      environment,
    );
    const welcome = await command.said('Restarts when');
    client = clientOf(`http://localhost:${ports.api}`, tokenIn(welcome));
    const issuer = `http://${HOST}:${ports.issuer}`;
    const token = await signToken(sharedKey(), issuer, { merchant: OTHER_MERCHANT });
    otherClient = clientOf(client.url, token);
  });

  test('starts the stack with the sample customers', async () => {
    const { body } = await client.call('GET', '/customers/count');
    expect(body).toEqual({ count: sampleCustomers().length });
  });

  test('restarts the handlers when a source file changes, and keeps the data', async () => {
    const { mexcParamvaluesetsid: id } = await create(otherClient, { name: 'Åsa' });
    // Its content stays, because other tests import it.
    utimesSync(HANDLER, new Date(), new Date());
    const output = await command.said('Restarted in');
    expect(output).toMatch(/^Restarted in \d+ ms: functions.get-customer.handler\.ts$/m);
    const { status, body } = await otherClient.call('GET', `/customers/${id}`);
    expect({ status, name: body.name }).toEqual({ status: 200, name: 'Åsa' });
  });

  test('lets a debugger stop at a line of a handler', async () => {
    const debug = await attach(debuggerPort);
    const source = readFileSync(HANDLER, 'utf8').split('\n');
    const lineNumber = source.findIndex((line) => line.includes('await getCustomer('));
    await debug.send('Debugger.enable');
    await debug.send('Debugger.setBreakpointByUrl', {
      lineNumber,
      urlRegex: 'functions/get-customer/handler\\.ts$',
    });
    const paused = debug.next('Debugger.paused');
    const response = client.call('GET', '/customers/1');
    const [{ callFrameId, location }] = (await paused).callFrames;
    expect(location.lineNumber).toBe(lineNumber);
    expect(debug.scriptUrl(location.scriptId)).toBe(pathToFileURL(HANDLER).href);
    const { result } = await debug.send('Debugger.evaluateOnCallFrame', {
      callFrameId,
      expression: 'id',
    });
    expect(result.value).toBe(1);
    await debug.send('Debugger.resume');
    expect((await response).status).toBe(200);
    debug.close();
  });

  test('is what .vscode/launch.json attaches to, and npm start what it launches', async () => {
    const { configurations } = JSON.parse(readFileSync(join(ROOT, '.vscode/launch.json'), 'utf8'));
    const [launched, attached] = configurations;
    const { out } = await run('dev', ['--help'], {}).ended();
    expect(out).toContain(`port for a debugger (default: ${attached.port})`);
    expect(attached).toMatchObject({ request: 'attach', restart: true });
    const inRoot = (path: string) => path.replace(/^.*?\}\//, '');
    expect(existsSync(join(ROOT, inRoot(launched.runtimeExecutable)))).toBe(true);
    expect(`node ${inRoot(launched.program)}`).toBe(manifest.scripts.start);
  });

  // Last, because nothing runs after it.
  test('ends with the signal of the terminal', async () => {
    command.process.kill('SIGINT');
    expect(await command.ended(5_000)).toMatchObject({ code: 0 });
  });
});

describe('the watch of source files', () => {
  test('reports files that are written, replaced or in a new folder', async () => {
    const source = join(folder, 'source');
    mkdirSync(join(source, 'deep'), { recursive: true });
    const file = join(source, 'deep/a.ts');
    writeFileSync(file, '');
    const changes: string[] = [];
    const end = watchFiles([source], async (changed) => {
      changes.push(changed);
    });
    const expectChange = (changed: string) =>
      eventually(async () => expect(changes.splice(0)).toContain(changed));

    for (const text of ['1', '2']) {
      writeFileSync(file, text);
      await expectChange(file);
      // As editors save a file.
      writeFileSync(`${file}~`, text);
      renameSync(`${file}~`, file);
      await expectChange(file);
    }
    // As switching branches does.
    for (const text of ['1', '2']) {
      mkdirSync(join(source, 'new'));
      await expectChange(join(source, 'new'));
      writeFileSync(join(source, 'new/b.ts'), text);
      await expectChange(join(source, 'new/b.ts'));
      rmSync(join(source, 'new'), { recursive: true });
    }
    writeFileSync(join(source, 'notes.txt'), '');
    writeFileSync(file, '3');
    await eventually(async () => expect(changes).toContain(file));
    expect(changes).not.toContain(join(source, 'notes.txt'));
    end();
  });
});

function tokenIn(welcome: string): string {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/m.exec(welcome)?.[0] ?? '';
}

/** Attaches to a process by the Chrome DevTools Protocol, as an editor does. */
async function attach(port: number) {
  const targets = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await targets.json()) as [{ webSocketDebuggerUrl: string }];
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  // biome-ignore lint/suspicious/noExplicitAny: messages of every kind
  const messages: any[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(data)));
  // biome-ignore lint/suspicious/noExplicitAny: messages of every kind
  const find = async (isWanted: (message: any) => boolean) => {
    await eventually(async () => expect(messages.some(isWanted)).toBe(true));
    return messages.find(isWanted);
  };
  let lastId = 0;
  return {
    send: async (method: string, params = {}) => {
      lastId += 1;
      const id = lastId;
      socket.send(JSON.stringify({ id, method, params }));
      return (await find((message) => message.id === id)).result;
    },
    next: async (method: string) => (await find((message) => message.method === method)).params,
    scriptUrl: (scriptId: string) =>
      messages.find(({ params }) => params?.url && params.scriptId === scriptId)?.params.url,
    close: () => socket.close(),
  };
}
