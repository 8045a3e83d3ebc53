import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Called, ColdStart, Task } from './child/caller.ts';

/** A server in its own process. */
export interface ServerProcess {
  /** URL, without a trailing slash. */
  readonly endpoint: string;
  stop(): void;
}

/**
 * Starts a server in its own process, so that it does not share the handlers' event loop.
 *
 * @param name file in `servers/`, without its extension.
 * @param args arguments of its process.
 */
export async function startServer(
  name: 'canned-dynamodb' | 's3-sink',
  args: readonly string[] = [],
): Promise<ServerProcess> {
  const child = fork(`${import.meta.dirname}/servers/${name}.ts`, args);
  const [endpoint] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`The server ${name} did not start.`))),
  ]);
  return { endpoint, stop: () => child.kill() };
}

/** Options to load a handler in its own process. */
export interface ContenderOptions {
  /** `child/caller.ts`, bundled, so that no measured process has to strip types. */
  readonly caller: string;
  /** Bundle with the handler, as deployed. */
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A contender's handler, loaded in its own process. */
export interface ContenderProcess {
  /** Calls the handler. */
  call(task: Task): Promise<Called>;
  stop(): Promise<void>;
}

/** Loads a handler in a new process. */
export async function startContender(options: ContenderOptions): Promise<ContenderProcess> {
  const { child, nextMessage, exited } = startCaller(options);
  await nextMessage();
  return {
    call: (task) => {
      const called = nextMessage<Called>();
      child.send(task);
      return called;
    },
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

/** Loads a handler in a new process and calls it once, as in a cold start of Lambda. */
export async function coldStart(options: ContenderOptions, event: object): Promise<ColdStart> {
  const { child, nextMessage, exited } = startCaller(options, JSON.stringify(event));
  const result = await nextMessage<ColdStart>();
  child.kill();
  await exited;
  return result;
}

function startCaller({ caller, module, environment }: ContenderOptions, ...more: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'contender-'));
  const child = fork(caller, [module, ...more], {
    // Without a developer's own settings and files of earlier processes: a new Lambda sandbox has
    // an empty /tmp. Logs are discarded.
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...environment },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit').then(() => rmSync(folder, { recursive: true }));
  const nextMessage = async <T>(): Promise<T> => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error(`The contender ${module} exited unexpectedly.`))),
    ]);
    if (message.error) throw new Error(`The contender ${module} failed: ${message.error}`);
    return message;
  };
  return { child, nextMessage, exited };
}
