import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { withCompileCache } from './compile-cache.ts';

const THREAD = new URL('./function-thread.ts', import.meta.url);

/**
 * Calls functions in threads, so that they do not block this process and end with it. A thread is
 * kept for the next call of its function, as Lambda keeps an execution environment: a new one takes
 * 300 ms of CPU time to load the function. It has one call at a time, and none after an error.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class FunctionThreads {
  /** Threads without a call, by the URL of their module. */
  readonly #idle = new Map<string, Set<Worker>>();

  /**
   * Calls the handler of a function's module.
   *
   * @param signal ends the call and its thread.
   * @throws if the call ends without a result.
   */
  async call(module: URL, event: object, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const idle = this.#idle.get(module.href) ?? new Set();
    this.#idle.set(module.href, idle);
    const [thread = startThread(module, idle)] = idle;
    idle.delete(thread);
    const ended = new AbortController();
    const options = { signal: AbortSignal.any([signal, ended.signal]) };
    const exited = once(thread, 'exit', options).then(() => {
      throw new Error(`${nameOf(module)} ended without a result.`);
    });
    const returned = once(thread, 'message', options);
    try {
      thread.ref();
      thread.postMessage(event);
      const [result] = await Promise.race([returned, exited]);
      thread.unref();
      idle.add(thread);
      return result;
    } catch (error) {
      await thread.terminate();
      throw error;
    } finally {
      // Removes the listeners.
      ended.abort();
    }
  }

  /** Ends the threads without a call. */
  async close(): Promise<void> {
    const threads = [...this.#idle.values()].flatMap((idle) => [...idle]);
    this.#idle.clear();
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function startThread(module: URL, idle: Set<Worker>): Worker {
  const thread = new Worker(THREAD, {
    workerData: { name: nameOf(module), module: module.href },
    env: withCompileCache(),
  });
  // What fails between two calls ends the thread, and no call.
  thread.on('error', () => idle.delete(thread));
  thread.on('exit', () => idle.delete(thread));
  return thread;
}

/** Returns the name of a function: the folder of its module. */
function nameOf(module: URL): string {
  return module.pathname.split('/').at(-2) as string;
}
