import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HOST } from '../../infra/local/server.ts';

/** The end of a command, and its output. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command in a process of its own. */
export interface Command {
  readonly process: ChildProcess;
  /** Waits until standard output contains this text, and returns the whole output. */
  said(text: string): Promise<string>;
  /** Waits until it has ended. The time in which this process, and so the machine, stands still does not count. */
  ended(timeoutMs?: number): Promise<Ended>;
}

const SCRIPTS = join(import.meta.dirname, '../../infra/local');
/** Settings of the developer's environment that a command must not inherit. */
const SETTINGS = ['DATA_FOLDER', 'PORT', 'ISSUER_PORT', 'DYNAMODB_PORT', 'S3_PORT'];
/** Long enough for a small machine under load. */
const TIMEOUT_MS = 90_000;
/** Outside the ephemeral port ranges, so that no other process takes the port. */
const PORTS = { first: 20_000, count: 10_000 };
/** How often it is looked whether a command has ended. */
const TICK_MS = 20;

/** Ends the command with its parent, since a test that is killed cannot end it. */
const END_WITH_PARENT = `data:text/javascript,
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();`;

const running = new Set<ChildProcess>();
/** Ports that this process has chosen, also those that nothing uses yet. */
const chosenPorts = new Set<number>();

/** Runs a script of `infra/local`, as npm does. */
export function run(
  script: 'start' | 'dev' | 'token',
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Command {
  const inherited = Object.entries(process.env).filter(([name]) => !SETTINGS.includes(name));
  const file = join(SCRIPTS, `${script}.ts`);
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, file, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  let out = '';
  let err = '';
  let hasEnded = false;
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const end = once(child, 'close').then(([code, signal]): Ended => {
    running.delete(child);
    hasEnded = true;
    return { code, signal, out, err };
  });
  const failed = (how: string) => new Error(`${script} ${args.join(' ')} ${how}:\n${out}${err}`);
  return {
    process: child,
    said: async (text) => {
      const latest = Date.now() + TIMEOUT_MS;
      while (!out.includes(text)) {
        if (hasEnded || Date.now() > latest) throw failed(`did not say "${text}"`);
        await setTimeout(20);
      }
      return out;
    },
    ended: async (timeoutMs = TIMEOUT_MS) => {
      for (let waitedMs = 0; !hasEnded; waitedMs += TICK_MS) {
        if (waitedMs >= timeoutMs) throw failed(`has not ended in ${timeoutMs} ms`);
        await Promise.race([end, setTimeout(TICK_MS)]);
      }
      return end;
    },
  };
}

/** Kills all commands that a failed test left running. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const end = once(child, 'close');
      child.kill('SIGKILL');
      await end;
    }),
  );
}

/** Returns a free port, another one each time. */
export async function freePort({ first, count } = PORTS): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count);
    if (chosenPorts.has(port)) continue;
    chosenPorts.add(port);
    const isFree = await whileTaken(port, async () => true).catch(() => false);
    if (isFree) return port;
  }
}

/**
 * Calls `work` while a server listens on a port.
 *
 * @throws if the port is in use.
 */
export async function whileTaken<T>(port: number, work: () => Promise<T>): Promise<T> {
  const server: Server = createServer().listen(port, HOST);
  await once(server, 'listening');
  try {
    return await work();
  } finally {
    server.close();
    await once(server, 'close');
  }
}
