import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { withCompileCache } from './compile-cache.ts';
import { HOST, type LocalServer } from './server.ts';

/** A server in a thread of its own. */
export interface ThreadServer extends LocalServer {
  /** Sends the thread a message, which that understands. */
  send(message: object): void;
}

/**
 * Starts a server in its own thread, so that it does not share the handlers' event loop and
 * still stops with this process, however that exits.
 *
 * @param module runs in the thread: it reads the options from `workerData`, posts its port once it
 * listens, and exits on the message `end`.
 * @throws what the thread throws before it listens, such as EADDRINUSE.
 */
export async function startInThread(module: URL, options: object): Promise<ThreadServer> {
  const worker = new Worker(module, { workerData: options, env: withCompileCache() });
  const [port] = await once(worker, 'message');
  return {
    endpoint: `http://${HOST}:${port}`,
    send: (message) => worker.postMessage(message),
    close: async () => {
      const ended = once(worker, 'exit');
      worker.postMessage('end');
      await ended;
    },
  };
}
