import { parentPort, workerData } from 'node:worker_threads';
import { createLambda } from './lambda.ts';

/** Lambda's longest time-out, which the stack gives a durable function for each run. */
const TIMEOUT_MS = 15 * 60 * 1_000;

const { name, module, event } = workerData as { name: string; module: string; event: object };
const invoke = createLambda(async () => (await import(module)).handler, {
  timeoutMs: TIMEOUT_MS,
});
parentPort?.postMessage(await invoke(name, event));
