import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { withCompileCache } from './compile-cache.ts';
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
  const worker = new Worker(module, { workerData: options, env: withCompileCache() });
  const [port] = await once(worker, 'message');
  return {
    endpoint: `http://${HOST}:${port}`,
    close: async () => {
      const ended = once(worker, 'exit');
      worker.postMessage('end');
      await ended;
    },
  };
}
