import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HOST } from '../../infra/local/server.ts';

/** How a command ended, and all that it told its user. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command in a process of its own. */
export interface Command {
  readonly process: ChildProcess;
  /** Waits until it has written this to standard output, and gives all that it has. */
  said(text: string): Promise<string>;
  /** Waits until it has ended. */
  ended(timeoutMs?: number): Promise<Ended>;
}

const SCRIPTS = join(import.meta.dirname, '../../infra/local');
/** A developer's own settings would lead a command elsewhere. */
const SETTINGS = ['DATA_FOLDER', 'PORT', 'ISSUER_PORT', 'DYNAMODB_PORT', 'S3_PORT'];
/** Far more than anything takes, also on a small machine that does much else. */
const TIMEOUT_MS = 30_000;
/** Outside the ranges from which systems give any free port, so that nobody comes between. */
const PORTS = { first: 20_000, count: 10_000 };

/** Tests that are killed cannot end what they have started: it ends when it is left alone. */
const END_WITH_PARENT = `data:text/javascript,
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();`;

const running = new Set<ChildProcess>();

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
    ended: (timeoutMs = TIMEOUT_MS) => {
      const late = setTimeout(timeoutMs, undefined, { ref: false }).then(() => {
        throw failed(`has not ended in ${timeoutMs} ms`);
      });
      return Promise.race([end, late]);
    },
  };
}

/** Ends whatever a failed test has left running. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const end = once(child, 'close');
      child.kill('SIGKILL');
      await end;
    }),
  );
}

/** A port that is free, and stays so until it is used. */
export async function freePort({ first, count } = PORTS): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count);
    const isFree = await whileTaken(port, async () => true).catch(() => false);
    if (isFree) return port;
  }
}

/**
 * Does something while a server listens on a port.
 *
 * @throws where the port is taken.
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
