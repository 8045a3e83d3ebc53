/**
 * Preloaded into a local server's thread. Executes as many writes to its LevelDB as `workerData.left` says, a number
 * in shared memory, then posts 'cut' and hangs in the next write, as if the process were killed there.
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

type Method = (...given: unknown[]) => Promise<void>;

const fromDynalite = createRequire(import.meta.resolve('dynalite'));
const level: Record<string, Method> = fromDynalite('level').Level.prototype;
const left: Int32Array = workerData.left;

for (const name of ['put', 'del', 'batch']) {
  const write = level[name] as Method;
  level[name] = function (...given) {
    if (Atomics.sub(left, 0, 1) > 0) return write.apply(this, given);
    parentPort?.postMessage('cut');
    return new Promise(() => {});
  };
}
