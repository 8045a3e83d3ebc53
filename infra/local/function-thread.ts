import { parentPort, workerData } from 'node:worker_threads';
import { saveCompiled } from './compile-cache.ts';
import { createLambda } from './lambda.ts';

// A thread of FunctionThreads: each message is the event of a call, and is answered by its result.

/** Lambda's maximum time-out, which the stack sets for each run of a durable function. */
const TIMEOUT_MS = 15 * 60 * 1_000;

const { name, module } = workerData as { name: string; module: string };
async function load() {
  const { handler } = await import(module);
  saveCompiled();
  return handler;
}
const invoke = createLambda(load, { timeoutMs: TIMEOUT_MS });
// A call that fails ends the thread.
parentPort?.on('message', async (event: object) =>
  parentPort?.postMessage(await invoke(name, event)),
);
