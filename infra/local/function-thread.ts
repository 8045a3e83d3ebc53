import { parentPort, workerData } from 'node:worker_threads';
import { createLambda } from './lambda.ts';

/** Lambda's maximum time-out, which the stack sets for each run of a durable function. */
const TIMEOUT_MS = 15 * 60 * 1_000;

const { name, module, event } = workerData as { name: string; module: string; event: object };
const invoke = createLambda(async () => (await import(module)).handler, {
  timeoutMs: TIMEOUT_MS,
});
parentPort?.postMessage(await invoke(name, event));
