/**
 * Preloaded into a local server's thread. Executes the first `writes` writes to its LevelDB, then posts
 * 'cut' and hangs in the next write, as if the process were killed there.
 */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

type Method = (...given: unknown[]) => Promise<void>;

const fromDynalite = createRequire(import.meta.resolve('dynalite'));
const level: Record<string, Method> = fromDynalite('level').Level.prototype;
let left: number = workerData.writes;

for (const name of ['put', 'del', 'batch']) {
  const write = level[name] as Method;
  level[name] = function (...given) {
    left -= 1;
    if (left >= 0) return write.apply(this, given);
    parentPort?.postMessage('cut');
    return new Promise(() => {});
  };
}
