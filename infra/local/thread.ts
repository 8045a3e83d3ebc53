import { on, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HOST, type LocalServer } from './server.ts';

/**
 * Starts a server in a thread of its own, so that it does not share the handlers' event loop and
 * still ends with this process, however that ends.
 *
 * @param module what runs in the thread: it takes the options from `workerData`, posts its port
 * once it answers, and ends on the first message.
 * @throws what the thread throws before it answers, such as EADDRINUSE for a taken port.
 */
export async function startInThread(module: URL, options: object): Promise<LocalServer> {
  const worker = new Worker(module, { workerData: options });
  const port = await messageOf(worker, (message) => typeof message === 'number');
  return {
    endpoint: `http://${HOST}:${port}`,
    close: async () => {
      const ended = once(worker, 'exit');
      worker.postMessage('end');
      await ended;
    },
  };
}

/**
 * Resolves with the first message of a thread that `isWanted`. With `node --watch` a thread also
 * sends the names of the files that it imports.
 *
 * @throws what the thread throws before.
 */
export async function messageOf(
  worker: Worker,
  isWanted: (message: unknown) => boolean,
  signal?: AbortSignal,
): Promise<unknown> {
  for await (const [message] of on(worker, 'message', signal && { signal })) {
    if (isWanted(message)) return message;
  }
  throw new Error('The thread sends no more messages.');
}
